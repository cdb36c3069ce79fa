package translate_test

import (
	"fmt"
	"net/netip"
	"testing"

	"google.golang.org/protobuf/proto"

	. "my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/translate/envoy/listener"
)

// A changed listener drains every connection, so its bytes depend on what the
// operator says and on nothing else: no site, however many or how odd.
func TestListenerIsTheOperatorsAlone(t *testing.T) {
	seen := make(map[string]string)
	for name, opts := range map[string]Options{
		"defaults":  {},
		"layout":    {Routes: RoutesSingle},
		"address":   {HTTPAddress: netip.MustParseAddr("0.0.0.0")},
		"port":      {HTTPPort: 8081},
		"hops":      {TrustedHops: 1},
		"scheme":    {PublicScheme: SchemeHTTPS},
		"public":    {PublicPort: 443},
		"slashes":   {MergeSlashes: true},
		"hops, too": {TrustedHops: 1, PublicScheme: SchemeHTTPS, PublicPort: 443},
	} {
		alone := listenerOf(t, NewWorld(opts).Apply(nil))
		if with := listenerOf(t, NewWorld(opts).Apply(changesOf(docsSite(), docsService(), docsSlice("10.0.0.1")))); with != alone {
			t.Errorf("%s: the listener depends on sites", name)
		}
		if other, found := seen[alone]; found {
			t.Errorf("%s: the listener is that of %s", name, other)
		}
		seen[alone] = name
	}
	for _, opts := range []Options{{Upstreams: UpstreamsDNS}, {AllowedEndpoints: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, {HTTPPort: 8080}} {
		if name := seen[listenerOf(t, NewWorld(opts).Apply(nil))]; name != "defaults" {
			t.Errorf("%+v changes the listener", opts)
		}
	}
}

// No site may have the host of requests that have none.
func TestNobodyHasNoHost(t *testing.T) {
	site := docsSite()
	site.Domain = listener.NoHost
	if v := NewWorld(Options{}).Apply(changesOf(site, docsService())).Verdicts[0]; v.Accepted.OK {
		t.Errorf("a site may have the host %q", listener.NoHost)
	}
}

func listenerOf(t *testing.T, d Delta) string {
	t.Helper()
	for _, r := range d.Resources {
		if r.Type == listenerType {
			b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r.Message)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
	}
	panic(fmt.Sprintf("no listener in %q", outline(d)))
}
