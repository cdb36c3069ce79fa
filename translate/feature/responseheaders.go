package feature

import (
	"fmt"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/text"
)

// responseHeaders is spec.responseHeaders, judged: each name is one that a site may
// change, and is there once.
type responseHeaders v1alpha1.HeaderChanges

const (
	setHeader = corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD
	addHeader = corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD
)

// notChanged are headers that no site may change, and why. A proxy takes them from what
// it sends, so a different word in them makes an answer that no client understands.
var notChanged = func() map[string]string {
	all := map[string]string{
		"host":             "is a header of requests",
		"content-length":   "is counted by the proxies",
		"content-encoding": "says how a body is encoded, which only the backend knows",
		"date":             "is written by the proxies",
	}
	for _, name := range []string{ // RFC 9110 section 7.6.1, RFC 2616 section 13.5.1
		"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
	} {
		all[name] = "is about a connection and not about an answer"
	}
	return all
}()

func judgeResponseHeaders(f *v1alpha1.SiteFeatures, refuse func(string, error)) Part {
	changes := f.ResponseHeaders
	if changes == nil {
		return nil
	}
	if path, err := checkChanges(changes); err != nil {
		refuse(path, err)
		return nil
	}
	return (*responseHeaders)(changes)
}

// checkChanges returns the first thing that is wrong, and where it is.
func checkChanges(changes *v1alpha1.HeaderChanges) (path string, err error) {
	seen := make(map[string]string) // where a name is
	check := func(path string, name v1alpha1.HeaderName) error {
		lower := strings.ToLower(string(name))
		if before, twice := seen[lower]; twice {
			return fmt.Errorf("%s is there already (%s): write each name once, in one of set, add and remove", text.Quote(string(name)), before)
		}
		seen[lower] = "spec.responseHeaders" + path
		return checkHeaderName(lower, string(name))
	}
	for _, list := range []struct {
		path    string
		headers []v1alpha1.Header
	}{{".set", changes.Set}, {".add", changes.Add}} {
		if n := len(list.headers); n > v1alpha1.MaxHeaderChanges {
			return list.path, tooMany(n)
		}
		for i, h := range list.headers {
			path := fmt.Sprintf("%s[%d]", list.path, i)
			if err := check(path+".name", h.Name); err != nil {
				return path + ".name", err
			}
			if err := checkHeaderValue(h.Value); err != nil {
				return path + ".value", err
			}
		}
	}
	if n := len(changes.Remove); n > v1alpha1.MaxHeaderChanges {
		return ".remove", tooMany(n)
	}
	for i, name := range changes.Remove {
		path := fmt.Sprintf(".remove[%d]", i)
		if err := check(path, name); err != nil {
			return path, err
		}
	}
	return "", nil
}

func tooMany(n int) error {
	return fmt.Errorf("has %d headers: write at most %d", n, v1alpha1.MaxHeaderChanges)
}

func checkHeaderName(lower, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("is empty: write the name of a header, such as X-Frame-Options")
	case len(name) > v1alpha1.MaxHeaderName:
		return fmt.Errorf("%s has %d characters: write at most %d", text.Quote(name), len(name), v1alpha1.MaxHeaderName)
	case strings.ContainsFunc(name, notInToken):
		return fmt.Errorf("%s is no header's name: write letters, digits and hyphens, such as X-Frame-Options", text.Quote(name))
	case notChanged[lower] != "":
		return fmt.Errorf("%s %s: remove it", text.Quote(name), notChanged[lower])
	case slices.ContainsFunc(envoy.ProxyHeaders, func(prefix string) bool { return strings.HasPrefix(lower, prefix) }):
		return fmt.Errorf("%s is a header of the proxies' own: write a name that does not begin with %s", text.Quote(name), strings.Join(envoy.ProxyHeaders, " or "))
	}
	return nil
}

func checkHeaderValue(value string) error {
	switch {
	case value == "":
		return fmt.Errorf("is empty: write a value, or the name in spec.responseHeaders.remove")
	case len(value) > v1alpha1.MaxHeaderValue:
		return fmt.Errorf("has %d characters: write at most %d", len(value), v1alpha1.MaxHeaderValue)
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
		return fmt.Errorf("%s has a character that no header may have: write printable ASCII on one line", text.Quote(value))
	case strings.TrimSpace(value) != value:
		return fmt.Errorf("%s begins or ends with a space, which clients take away: remove it", text.Quote(value))
	}
	return nil
}

// notInToken reports whether a character cannot be in a header's name (RFC 9110
// section 5.6.2).
func notInToken(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < 0x80 && strings.ContainsRune("!#$%&'*+-.^_`|~", r))
}

// Render writes names in lower case, as they are sent. A value is a format string to
// Envoy, so a percent sign is written twice.
//
// Envoy removes before it sets, and sets and adds in the order of the list.
func (h *responseHeaders) Render(host *routev3.VirtualHost) {
	for _, list := range []struct {
		headers []v1alpha1.Header
		action  corev3.HeaderValueOption_HeaderAppendAction
	}{{h.Set, setHeader}, {h.Add, addHeader}} {
		for _, header := range list.headers {
			host.ResponseHeadersToAdd = append(host.ResponseHeadersToAdd, &corev3.HeaderValueOption{
				Header: &corev3.HeaderValue{
					Key:   strings.ToLower(string(header.Name)),
					Value: strings.ReplaceAll(header.Value, "%", "%%"),
				},
				AppendAction: list.action,
			})
		}
	}
	for _, name := range h.Remove {
		host.ResponseHeadersToRemove = append(host.ResponseHeadersToRemove, strings.ToLower(string(name)))
	}
}

func describeResponseHeaders(host *routev3.VirtualHost) (lines []string) {
	for _, name := range host.GetResponseHeadersToRemove() {
		lines = append(lines, "removes "+name)
	}
	for _, h := range host.GetResponseHeadersToAdd() {
		verb := "sets"
		if h.GetAppendAction() == addHeader {
			verb = "adds"
		}
		value := strings.ReplaceAll(h.GetHeader().GetValue(), "%%", "%")
		lines = append(lines, fmt.Sprintf("%s %s: %s", verb, h.GetHeader().GetKey(), text.Quote(value)))
	}
	return lines
}
