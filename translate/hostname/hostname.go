// Package hostname knows what a host name is: how its owner may write it, the one
// normal form in which names are compared, and what to write instead of what is no
// host name.
package hostname

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"my-company.com/staticsite-operator/translate/text"
)

// The length of a domain in normal form: the shortest that the first design's
// schema admits, and the longest that DNS does.
const (
	shortestDomain = 4
	longestDomain  = 253
)

// longestText is how much of a user's text is looked at for what it may have
// meant: what IDNA makes of it takes time that grows with the square.
const longestText = 8 * longestDomain

// Parse returns the normal form of a domain: lower-case, without the trailing dot,
// and nothing but a host name. Its error says what to write instead.
func Parse(s string) (string, error) {
	if s == "" {
		return "", fmt.Errorf("is empty: write the host name of the site, such as docs.example.com")
	}
	if len(s) > longestText {
		return "", fmt.Errorf("%s has %d characters: write at most %d", text.Quote(s), len(s), longestDomain)
	}
	if what := notHostName(s); what != "" {
		return "", fmt.Errorf("%s %s: %s", text.Quote(s), what, advice(s))
	}
	d := strings.ToLower(strings.TrimSuffix(s, "."))
	if what := notDomain(d); what != "" {
		return "", fmt.Errorf("%s %s", text.Quote(s), what)
	}
	return d, nil
}

// ParseSuffix returns the normal form of a domain that stands for all domains below
// it, too. It may be a short one that nobody serves, such as com.
func ParseSuffix(s string) (string, error) {
	if bare := strings.TrimLeft(s, "*."); bare != s {
		return "", fmt.Errorf("%s: write %s, which is that domain and all below it", text.Quote(s), text.Quote(bare))
	}
	if d := strings.ToLower(strings.TrimSuffix(s, ".")); len(d) < shortestDomain && notLabel(d) == "" && !isNumber(d) {
		return d, nil
	}
	return Parse(s)
}

// notHostName says what makes s something other than a host name written in
// ASCII; empty if nothing does.
func notHostName(s string) string {
	switch {
	case strings.Contains(s, "{{"):
		return "looks like a template that nobody has rendered"
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "has a space or a control character in it"
	case strings.Contains(s, "://"):
		return "is a URL"
	case strings.ContainsAny(s, `/\?#@`):
		return "has more than a host name in it"
	case IsAddress(s):
		return "is an IP address"
	case strings.Contains(s, ":"):
		return "has a port"
	case strings.Contains(s, "*"):
		return "has a wildcard"
	case strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }):
		return "has letters outside ASCII"
	}
	return ""
}

// advice says what to write instead of s.
func advice(s string) string {
	switch {
	case IsAddress(bareHost(s)):
		return "write a host name; a site has no address of its own"
	case strings.Contains(s, "*"):
		return "write one whole host name; each site has exactly one"
	}
	host, err := idna.Lookup.ToASCII(strings.TrimSuffix(bareHost(s), "."))
	if err != nil || notDomain(host) != "" {
		return "write a plain host name, such as docs.example.com"
	}
	if strings.Contains(s, ":") && !strings.Contains(s, "://") {
		return "write " + host + " without the port; every domain is served on the port of the proxies"
	}
	return "write " + host
}

// bareHost is what is left of s without scheme, user, path, port and spaces.
func bareHost(s string) string {
	s = strings.TrimSpace(s)
	if _, rest, found := strings.Cut(s, "://"); found {
		s = rest
	}
	if i := strings.IndexAny(s, `/\?#`); i >= 0 {
		s = s[:i]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	if IsAddress(s) {
		return s
	}
	host, _, _ := strings.Cut(s, ":")
	return host
}

// IsAddress reports whether s is an IP address, with or without brackets and port.
func IsAddress(s string) bool {
	if _, err := netip.ParseAddrPort(s); err == nil {
		return true
	}
	_, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return err == nil
}

// notDomain says what makes d, in lower case, no domain name; empty if it is one.
func notDomain(d string) string {
	switch {
	case len(d) < shortestDomain:
		return fmt.Sprintf("is shorter than %d characters: write a whole host name, such as docs.example.com", shortestDomain)
	case len(d) > longestDomain:
		return fmt.Sprintf("has %d characters: write at most %d", len(d), longestDomain)
	}
	labels := strings.Split(d, ".")
	for _, label := range labels {
		if what := notLabel(label); what != "" {
			return what
		}
	}
	if last := labels[len(labels)-1]; isNumber(last) {
		return fmt.Sprintf("ends in the number %s, so clients read it as an IP address: write a host name, such as docs.example.com", text.Quote(last))
	}
	return ""
}

// notLabel says what makes label no part of a domain name; empty if it is one.
func notLabel(label string) string {
	switch {
	case label == "":
		return "has an empty label: write exactly one dot between two labels, and none at the start"
	case len(label) > 63:
		return fmt.Sprintf("has a label of %d characters (%s): write at most 63 between two dots", len(label), text.Quote(label))
	case strings.Contains(label, "_"):
		return "has an underscore, which no host name may have: write a hyphen"
	case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
		return fmt.Sprintf("has a label that starts or ends with a hyphen (%s): remove the hyphen", text.Quote(label))
	case !IsLabel(label):
		return fmt.Sprintf("has a character that no host name may have (%s): write letters, digits, hyphens and dots", text.Quote(label))
	case strings.HasPrefix(label, "xn--") && !isALabel(label):
		return fmt.Sprintf("has a label that decodes to no name (%s): write what an IDNA tool prints for the name in your language", text.Quote(label))
	}
	return ""
}

// isALabel reports whether a label that starts with xn-- is what IDNA makes of
// some name.
func isALabel(label string) bool {
	u, err := idna.Lookup.ToUnicode(label)
	if err != nil || u == label {
		return false
	}
	a, err := idna.Lookup.ToASCII(u)
	return err == nil && a == label
}

// isNumber reports whether a label is one that URL parsers read as part of an IPv4
// address when it comes last: decimal or hexadecimal.
func isNumber(label string) bool {
	if hex, found := strings.CutPrefix(label, "0x"); found {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// Normal returns the normal forms of those that are valid, sorted. It
// reads status.domains, which only we write, but which anyone with the right to
// can spoil.
func Normal(list []string) []string {
	var domains []string
	for _, s := range list {
		if d, err := Parse(s); err == nil {
			domains = append(domains, d)
		}
	}
	slices.Sort(domains)
	return slices.Compact(domains)
}

// IsLabel reports whether s is a lower-case DNS label (RFC 1123).
func IsLabel(s string) bool {
	if len(s) < 1 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
