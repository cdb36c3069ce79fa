package main

import (
	"strings"
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	for _, test := range []struct{ log, want string }{
		{`{"level":"info","msg":"site live","site":"docs/docs-main","domain":"docs.localhost","after":"4.2ms","proxies":1}`,
			"+ http://docs.localhost:8090 is live (docs/docs-main), acknowledged by the proxy after 4.2ms"},
		{`{"level":"info","msg":"site live","site":"docs/docs-main","domain":"docs.localhost","proxies":0}`,
			"+ http://docs.localhost:8090 is live (docs/docs-main), no proxy is connected"},
		{`{"level":"info","msg":"site gone","site":"docs/docs-main","domain":"docs.localhost","after":"3ms","proxies":3}`,
			"- http://docs.localhost:8090 is gone (docs/docs-main), acknowledged by 3 proxies after 3ms"},
		{`{"level":"warn","msg":"site has a problem","site":"docs/docs-main","condition":"ResolvedRefs","reason":"ServiceNotFound","message":"there is no Service docs/docs"}`,
			"! docs/docs-main: there is no Service docs/docs (ResolvedRefs: ServiceNotFound)"},
		{`{"level":"error","msg":"file refused","file":"sites/a.yaml","error":"sites/a.yaml: spec.domain: is required"}`,
			"! sites/a.yaml: spec.domain: is required"},
		{`{"level":"warn","msg":"file refused","file":"sites/a.yaml","object":"StaticSite docs/a","error":"spec.domain: is required"}`,
			"! sites/a.yaml: StaticSite docs/a: spec.domain: is required"},
		{`{"level":"info","msg":"site gone","site":"docs/docs-main","domain":"","after":"301.116652ms","proxies":1}`,
			"- docs/docs-main is gone, acknowledged by the proxy after 301.1ms"},
		{`{"level":"info","msg":"serving xDS","address":":9000"}`, ""},
		{`{"level":"warn","msg":"something new","n":1}`, `! {"level":"warn","msg":"something new","n":1}`},
		{"panic: oh no", "! panic: oh no"},
	} {
		var out strings.Builder
		c := &changes{out: &out, port: 8090, now: func() time.Time { return time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC) }}
		c.line([]byte(test.log))
		if out.Len() > 0 {
			t.Errorf("%s was shown before the greeting", test.log)
		}
		c.show()
		want := test.want
		if want != "" {
			want = "03:04:05  " + want + "\n"
		}
		if out.String() != want {
			t.Errorf("%s became %q, want %q", test.log, out.String(), want)
		}
		c.line([]byte(test.log))
		if out.String() != want+want {
			t.Errorf("%s after the greeting: %q", test.log, out.String())
		}
	}
}
