package evil

import (
	"cmp"
	stdslices "slices"
	"strings"

	. "my-company.com/staticsite-operator/object"
)

// domains are the ways to write spec.domain, with what the status says of each.
func domains() []Case {
	var manyLetters strings.Builder
	for r := rune(0x4e00); manyLetters.Len() < megabyte; r = 0x4e00 + (r-0x4e00+1)%20000 {
		manyLetters.WriteRune(r)
	}
	var cases []Case
	for _, c := range []struct{ name, domain, says string }{
		{"empty", "", "write the host name of the site"},
		{"too short", "a.b", "write a whole host name"},
		{"254 characters", strings.Repeat("a.", 126) + "bc", "write at most 253"},
		{"a label of 64 characters", text(64) + ".example.com", "write at most 63"},
		{"a megabyte", text(megabyte), "write at most 253"},
		{"a megabyte of different letters", manyLetters.String(), "write at most 253"},
		{"a thousand labels", strings.Repeat("a.", 1000) + "com", "write at most 253"},
		{"NUL", "evil\x00.example.com", "write a plain host name"},
		{"a NUL at the end", "evil.example.com\x00", "write a plain host name"},
		{"a header after CRLF", "evil.example.com\r\nx-evil: 1", "write a plain host name"},
		{"a newline", "evil.example.com\n", "write evil.example.com"},
		{"a tab", "evil\t.example.com", "write a plain host name"},
		{"spaces", " evil.example.com ", "write evil.example.com"},
		{"a line separator", "evil\u2028.example.com", "write a plain host name"},
		{"invalid UTF-8", "evil\xff\xfe.example.com", "write a plain host name"},
		{"half a surrogate", "evil\xed\xa0\x80.example.com", "write a plain host name"},
		{"a format operator", "%REQ(cookie)%.example.com", "write letters, digits, hyphens and dots"},
		{"a percent sign", "100%.example.com", "write letters, digits, hyphens and dots"},
		{"percent-encoding", "evil%2eexample.com", "write letters, digits, hyphens and dots"},
		{"quotes", `"evil".example.com`, "write letters, digits, hyphens and dots"},
		{"a backslash", `evil\.example.com`, "has more than a host name in it"},
		{"a regular expression", "(a+)+$.example.com", "write letters, digits, hyphens and dots"},
		{"a template", "{{.Values.domain}}", "looks like a template that nobody has rendered"},
		{"a shell variable", "${HOME}.example.com", "write letters, digits, hyphens and dots"},
		{"HTML", "<script>alert(1)</script>", "write a plain host name"},
		{"a URL", "https://evil.example.com/", "write evil.example.com"},
		{"a path", "evil.example.com/docs", "write evil.example.com"},
		{"a query", "evil.example.com?a", "write evil.example.com"},
		{"a fragment, such as attempts are named by", "evil.example.com#1", "write evil.example.com"},
		{"a user", "victim.example.com@evil.example.com", "write evil.example.com"},
		{"a port", "evil.example.com:8080", "write evil.example.com without the port"},
		{"two names", "evil.example.com,victim.example.com", "write letters, digits, hyphens and dots"},
		{"everything", "*", "write one whole host name"},
		{"a wildcard over the victim", "*.example.com", "write one whole host name"},
		{"a wildcard at the end", "victim.*", "write one whole host name"},
		{"an underscore", "evil_docs.example.com", "write a hyphen"},
		{"the name of the table", "dynamic_routes", "write a hyphen"},
		{"the victim's cluster", "victim_web_80_cluster", "write a hyphen"},
		{"a hyphen first", "-evil.example.com", "remove the hyphen"},
		{"a hyphen last", "evil-.example.com", "remove the hyphen"},
		{"an empty label", "evil..example.com", "write exactly one dot"},
		{"a dot first", ".evil.example.com", "write exactly one dot"},
		{"two dots last", "evil.example.com..", "write exactly one dot"},
		{"another alphabet", "еvil.example.com", "write xn--"},
		{"wide letters of the victim's name", "ｖｉｃｔｉｍ.example.com", "write victim.example.com"},
		{"an ideographic dot", "victim。example.com", "write victim.example.com"},
		{"right to left", "evil\u202emoc.elpmaxe", "write a plain host name"},
		{"a joiner that is not seen", "vic\u200dtim.example.com", "write a plain host name"},
		{"an A-label of nothing", "xn--.example.com", "remove the hyphen"},
		{"an A-label that decodes to ASCII", "xn--victim-.example.com", "remove the hyphen"},
		{"an A-label that does not decode", "xn--99999999.example.com", "write what an IDNA tool prints"},
		{"an IPv4 address", "10.0.0.1", "write a host name"},
		{"an IPv6 address", "[::1]", "write a host name"},
		{"an address in other words", "0x7f.1", "write a host name"},
		{"a number", "2130706433", "write a host name"},
		{"the victim's", VictimDomain, "write another domain"},
		{"the victim's, in capitals, with a dot", "Victim.EXAMPLE.com.", "write another domain"},
	} {
		cases = append(cases, Case{Name: c.name, Put: []Object{site(c.domain)}, Condition: "Accepted", Says: []string{"spec.domain: ", c.says}})
	}
	for name, domain := range map[string]string{
		"a name like an address":      "127.0.0.1.nip.example.com",
		"as long as can be":           strings.Repeat("a.", 126) + "b",
		"labels as long as can be":    text(63) + "." + text(63) + "." + text(63) + ".evil",
		"below the victim's":          "www." + VictimDomain,
		"the victim's, with a suffix": VictimDomain + ".evil.example.com",
		"the proxy's own name":        "localhost",
	} {
		cases = append(cases, Case{Name: "good: " + name, Put: []Object{site(domain)}})
	}
	return cases
}

func sorted(cases []Case) []Case {
	stdslices.SortFunc(cases, func(a, b Case) int { return cmp.Compare(a.Name, b.Name) })
	return cases
}
