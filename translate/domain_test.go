package translate_test

import (
	"strings"
	"testing"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// judgedDomain returns what becomes of spec.domain, and what its owner reads.
func judgedDomain(domain string) (normal, message string) {
	s := docsSite()
	s.Domain = domain
	v := NewWorld(Options{}).Apply(changesOf(s)).Verdicts[0]
	return v.Domain, v.Accepted.Message
}

func TestDomainsThatAreAccepted(t *testing.T) {
	for written, normal := range map[string]string{
		"docs.example.com":                 "docs.example.com",
		"DOCS.Example.Com":                 "docs.example.com",
		"docs.example.com.":                "docs.example.com",
		"docs":                             "docs",
		"a.io":                             "a.io",
		"docs.localhost":                   "docs.localhost",
		"1.example.com":                    "1.example.com",
		"127.0.0.1.example.com":            "127.0.0.1.example.com",
		"a--b.example.com":                 "a--b.example.com",
		"r3---sn-4g5e6nzz.example.com":     "r3---sn-4g5e6nzz.example.com",
		"xn--bcher-kva.example.com":        "xn--bcher-kva.example.com",
		"XN--BCHER-KVA.example.com":        "xn--bcher-kva.example.com",
		"docs.xn--p1ai":                    "docs.xn--p1ai",
		"0xdocs.example.com":               "0xdocs.example.com",
		strings.Repeat("a", 63) + ".co":    strings.Repeat("a", 63) + ".co",
		strings.Repeat("a.", 126) + "b.":   strings.Repeat("a.", 126) + "b",
		strings.Repeat("a.", 125) + "bcd":  strings.Repeat("a.", 125) + "bcd",
		strings.Repeat("a.", 125) + "bcd.": strings.Repeat("a.", 125) + "bcd",
	} {
		if got, message := judgedDomain(written); got != normal {
			t.Errorf("%.40q is %q, want %q: %s", written, got, normal, message)
		}
	}
}

// What is refused is refused with what to write; more of them, whole, are in
// testdata/translate/invalid-domains.
func TestDomainsThatAreRefused(t *testing.T) {
	for written, advice := range map[string]string{
		"docs.example.com:8080":           "write docs.example.com without the port",
		"docs.example.com:":               "write docs.example.com without the port",
		"DOCS.example.com.:8080":          "write docs.example.com without the port",
		"http://docs.example.com:80/a?b#": "write docs.example.com",
		"*.example.com":                   "write one whole host name",
		"{{ .Values.domain }}":            "looks like a template that nobody has rendered: write a plain host name",
		"bücher.example.com":              "write xn--bcher-kva.example.com",
		"http://bücher.example.com/":      "write xn--bcher-kva.example.com",
		"ｄｏｃｓ.example.com":                "write docs.example.com",
		"[::1]":                           "write a host name",
		"http://127.0.0.1:8080/":          "write a host name",
		"::ffff:127.0.0.1":                "write a host name",
		"1234":                            "write a host name",
		"0177.0.0.0x1":                    "write a host name",
		"x.0x":                            "write a host name",
		"docs..example.com":               "write exactly one dot",
		"docs.example.com..":              "write exactly one dot",
		".....":                           "write exactly one dot",
		"a.b":                             "write a whole host name",
		"my_docs.example.com":             "write a hyphen",
		"-a.example.com":                  "remove the hyphen",
		"xn--.example.com":                "",
		"xn--a.example.com":               "",
		"docs.example.com\n":              "write docs.example.com",
		strings.Repeat("a.", 127) + "b":   "write at most 253",
		strings.Repeat("a", 64) + ".com":  "write at most 63",
	} {
		got, message := judgedDomain(written)
		if got != "" || !strings.HasPrefix(message, "spec.domain: ") || !strings.Contains(message, advice) {
			t.Errorf("%.40q is %q, want advice %q: %s", written, got, advice, message)
		}
	}
}

func TestAllProblemsAreToldAtOnce(t *testing.T) {
	v := NewWorld(Options{}).Apply(changesOf(&Site{Key: Key{Namespace: "docs", Name: "main"}})).Verdicts[0]
	for _, field := range []string{"spec.domain: ", "; spec.backend.serviceName: ", "; spec.backend.servicePort: "} {
		if !strings.Contains(v.Accepted.Message, field) {
			t.Errorf("nothing is said of %q: %s", field, v.Accepted.Message)
		}
	}
	if v.Accepted.Reason != "InvalidDomain" || v.ResolvedRefs.Reason != "InvalidSpec" || v.ResolvedRefs.OK {
		t.Errorf("reasons %s and %s", v.Accepted.Reason, v.ResolvedRefs.Reason)
	}
}

// An accepted domain is its own normal form, and a host name byte by byte: it
// becomes a scope's key and name as it is.
func FuzzDomain(f *testing.F) {
	for _, seed := range append(evilTexts[:len(evilTexts)-1], "docs.example.com", "Docs.Example.com.", "xn--bcher-kva.de") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, written string) {
		normal, message := judgedDomain(written)
		if normal == "" {
			if !strings.HasPrefix(message, "spec.domain: ") {
				t.Errorf("%q is refused without a reason: %s", written, message)
			}
			return
		}
		if again, _ := judgedDomain(normal); again != normal {
			t.Errorf("%q became %q, which becomes %q", written, normal, again)
		}
		if strings.Trim(normal, "abcdefghijklmnopqrstuvwxyz0123456789-.") != "" || len(normal) < 4 || len(normal) > 253 {
			t.Errorf("%q became %q", written, normal)
		}
	})
}
