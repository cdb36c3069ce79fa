package evil

import (
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
)

// features are the ways to write what a site can do without.
func features() []Case { return responseHeaders() }

// responseHeaders are the ways to write spec.responseHeaders.
func responseHeaders() []Case {
	put := func(name string, changes *v1alpha1.HeaderChanges) Case {
		s := site(Domain)
		s.Features = &v1alpha1.SiteFeatures{ResponseHeaders: changes}
		return Case{Name: "responseHeaders: " + name, Put: []object.Object{s}}
	}
	refuse := func(name string, changes *v1alpha1.HeaderChanges, says ...string) Case {
		c := put(name, changes)
		c.Condition, c.Says = "Accepted", append(says, "spec.responseHeaders.")
		return c
	}
	header := func(name, value string) *v1alpha1.HeaderChanges {
		return &v1alpha1.HeaderChanges{Set: []v1alpha1.Header{{Name: v1alpha1.HeaderName(name), Value: value}}}
	}
	many := new(v1alpha1.HeaderChanges)
	for range 10_000 {
		many.Add = append(many.Add, v1alpha1.Header{Name: "x-a", Value: text(v1alpha1.MaxHeaderValue)})
	}
	large := new(v1alpha1.HeaderChanges)
	for n := range v1alpha1.MaxHeaderChanges {
		large.Set = append(large.Set, v1alpha1.Header{Name: v1alpha1.HeaderName("x-" + strings.Repeat("a", n)), Value: text(v1alpha1.MaxHeaderValue)})
	}
	tooLarge := put("more than a site may take", large)
	tooLarge.Condition, tooLarge.Says = "Accepted", []string{"spec: ", "make it smaller"}

	var cases []Case
	for _, c := range []struct{ what, name, says string }{
		{"no name", "", "is empty: write the name of a header"},
		{"a name with a space", "x a", "is no header's name: write"},
		{"a name with a newline", "x\r\nset-cookie", "is no header's name: write"},
		{"a name with a colon", "x:a", "is no header's name: write"},
		{"a name outside ASCII", "x-\u00fc", "is no header's name: write"},
		{"a name that is no UTF-8", "x-\xff", "is no header's name: write"},
		{"a name of a megabyte", text(megabyte), "write at most 128"},
		{"the status", ":status", "is no header's name: write"},
		{"the host", "Host", "is a header of requests: remove it"},
		{"the date", "Date", "is written by the proxies: remove it"},
		{"the encoding", "Content-Encoding", "says how a body is encoded, which only the backend knows: remove it"},
		{"the length", "Content-Length", "is counted by the proxies: remove it"},
		{"the encoding of the transfer", "transfer-encoding", "is about a connection and not about an answer: remove it"},
		{"the connection", "CONNECTION", "is about a connection and not about an answer: remove it"},
		{"an upgrade", "Upgrade", "is about a connection and not about an answer: remove it"},
		{"trailers", "Trailer", "is about a connection and not about an answer: remove it"},
		{"a header of Envoy's", "X-Envoy-Upstream-Service-Time", "is a header of the proxies' own: write a name"},
		{"a header of ours", "x-edge-path", "is a header of the proxies' own: write a name"},
	} {
		cases = append(cases,
			refuse("set, "+c.what, header(c.name, "a"), ".set[0].name: ", c.says),
			refuse("remove, "+c.what, &v1alpha1.HeaderChanges{Remove: []v1alpha1.HeaderName{v1alpha1.HeaderName(c.name)}}, ".remove[0]: ", c.says))
	}
	for _, c := range []struct{ what, value, says string }{
		{"no value", "", "is empty: write a value"},
		{"a value of two lines", "a\r\nset-cookie: b", "write printable ASCII on one line"},
		{"NUL", "a\x00b", "write printable ASCII on one line"},
		{"a tab", "a\tb", "write printable ASCII on one line"},
		{"a value outside ASCII", "\u00fc", "write printable ASCII on one line"},
		{"a value that is no UTF-8", "\xff", "write printable ASCII on one line"},
		{"spaces around it", " a ", "begins or ends with a space"},
		{"a value of a megabyte", text(megabyte), "write at most 4096"},
	} {
		cases = append(cases, refuse(c.what, header("x-a", c.value), ".set[0].value: ", c.says))
	}
	return append(cases,
		refuse("ten thousand headers", many, ".add: ", "write at most 16"),
		refuse("a name twice", &v1alpha1.HeaderChanges{
			Set: []v1alpha1.Header{{Name: "X-A", Value: "a"}}, Remove: []v1alpha1.HeaderName{"x-a"},
		}, ".remove[0]: ", "is there already (spec.responseHeaders.set[0].name): write each name once"),
		tooLarge,
		put("good: none", &v1alpha1.HeaderChanges{}),
		put("good: format operators", header("x-a", "%REQ(cookie)% %ENVIRONMENT(HOME)% 100% %% %")),
		put("good: a script", header("x-a", "<script>alert(1)</script>; \"'\\")),
	)
}
