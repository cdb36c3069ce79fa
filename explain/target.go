package explain

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// Target is what a person asks about: a domain and a path, or a site by name.
type Target struct {
	Asked  string     // as it was written
	Site   object.Key // zero unless a site was asked about
	Domain string     // in normal form; empty if a site was asked about
	Path   string     // as it is matched, without query
	Notes  []string   // what is worth knowing of how it was written
}

// Targets says what may be written.
const Targets = "a URL (https://docs.example.com/path), a host name, or NAMESPACE/NAME of a StaticSite"

// ParseTarget reads a URL, a host name with or without port and path, or
// NAMESPACE/NAME. Its error says what to write instead.
func ParseTarget(s string) (Target, error) {
	t := Target{Asked: s, Path: "/"}
	if strings.TrimSpace(s) == "" {
		return t, fmt.Errorf("nothing is asked about: write %s", Targets)
	}
	if site, ok, err := parseSite(s); ok || err != nil {
		t.Site = site
		return t, err
	}
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		rest = s
	} else if scheme = strings.ToLower(scheme); scheme != "http" && scheme != "https" {
		return t, fmt.Errorf("%q has scheme %s: sites are served over http and https; write %s", s, scheme, Targets)
	}
	host := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host = rest[:i]
		t.Path, _, _ = strings.Cut(rest[i:], "#")
		t.Path, _, _ = strings.Cut(t.Path, "?")
		t.Path = "/" + strings.TrimPrefix(t.Path, "/")
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	host, err := withoutPort(host)
	if err != nil {
		return t, err
	}
	if host == "" {
		return t, fmt.Errorf("%q names no host: write %s", s, Targets)
	}
	if plain, err := url.PathUnescape(host); err == nil { // as browsers copy names in other scripts
		host = plain
	}
	t.Domain, err = t.normal(host)
	return t, err
}

// parseSite reads NAMESPACE/NAME: one slash, and before it neither a dot nor a
// port, which a namespace cannot have.
func parseSite(s string) (object.Key, bool, error) {
	namespace, name, found := strings.Cut(s, "/")
	if !found || namespace == "" || strings.ContainsAny(namespace, ".:%?#@") {
		return object.Key{}, false, nil
	}
	end := strings.IndexAny(name+"/", "/?#")
	name, rest := name[:end], name[end:]
	switch {
	case name == "":
		return object.Key{}, false, fmt.Errorf("%q names a namespace and no site: write NAMESPACE/NAME, or http://%s for the host %s", s, s, namespace)
	case rest != "":
		return object.Key{}, false, fmt.Errorf("%q is no NAMESPACE/NAME: write %s/%s for the StaticSite, or http://%s for the host %s", s, namespace, name, s, namespace)
	case strings.ToLower(s) != s:
		return object.Key{}, false, fmt.Errorf("%q is no NAMESPACE/NAME, which have no upper case: write %s", s, strings.ToLower(s))
	}
	return object.Key{Namespace: namespace, Name: name}, true, nil
}

// withoutPort takes off the port, by which Envoy does not tell sites apart. An
// address in brackets keeps them: it is refused as an address.
func withoutPort(host string) (string, error) {
	i := strings.LastIndexByte(host, ':')
	if i < 0 || strings.Contains(host[:i], ":") {
		return host, nil
	}
	if port, err := strconv.Atoi(host[i+1:]); err != nil || port < 1 || port > 65535 {
		return "", fmt.Errorf("%q has no valid port: write a number from 1 to 65535, or none", host)
	}
	return host[:i], nil
}

// normal returns the domain under which a host is looked up, and notes what a
// client does to it on the way.
func (t *Target) normal(host string) (string, error) {
	if strings.ContainsFunc(host, func(r rune) bool { return r > 0x7f }) {
		ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(host, "."))
		if err == nil {
			t.Notes = append(t.Notes, fmt.Sprintf("%s is %s to every program: that is what spec.domain must say", host, ascii))
			host = ascii
		}
	}
	domain, err := translate.ParseDomain(host)
	if err == nil && strings.ToLower(host) != host {
		t.Notes = append(t.Notes, fmt.Sprintf("a client that sends %s is redirected (308) to lower case; browsers send lower case", host))
	}
	return domain, err
}
