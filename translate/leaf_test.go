package translate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"

	. "my-company.com/staticsite-operator/object"
	. "my-company.com/staticsite-operator/translate"
)

// Each string of a tenant's stands in the places that are its own, as a whole or
// beside an underscore or slash, and nowhere else: with another string there,
// nothing else is different, neither of the tenant nor of others.
func TestEachStringChangesItsOwnLeaves(t *testing.T) {
	const (
		scope   = "ScopedRouteConfiguration."
		members = "ClusterLoadAssignment.endpoints."
	)
	for field, test := range map[string]struct {
		put    func(text string) []Object
		leaves []string
	}{
		"site's name": {func(text string) []Object { s := docsSite(); s.Name = text; return []Object{s} },
			[]string{scope + "route_configuration.virtual_hosts.name", scope + "route_configuration.virtual_hosts.routes.name"}},
		"domain": {func(text string) []Object { s := docsSite(); s.Domain = text + ".example.org"; return []Object{s} },
			[]string{scope + "key.fragments.string_key", scope + "name", scope + "route_configuration.name"}},
		"serviceName": {func(text string) []Object { return onService(text, "10.0.0.1", "") },
			[]string{"Cluster.name", "ClusterLoadAssignment.cluster_name", scope + "route_configuration.virtual_hosts.routes.route.cluster"}},
		"address": {func(text string) []Object {
			return onService("web", strings.NewReplacer("first", "10.1.1.1", "other", "10.2.2.2").Replace(text), "")
		}, []string{members + "lb_endpoints.endpoint.address.socket_address.address"}},
		"zone": {func(text string) []Object { return onService("web", "10.0.0.1", text) },
			[]string{members + "locality.zone"}},
		"header": {func(text string) []Object {
			s := docsSite()
			s.Features = withHeader("x-"+text, text).Features
			return []Object{s}
		}, []string{scope + "route_configuration.virtual_hosts.response_headers_to_add.header.key", scope + "route_configuration.virtual_hosts.response_headers_to_add.header.value"}},
		// Nothing of these is in any resource.
		"uid": {func(text string) []Object { s := docsSite(); s.UID = text; return []Object{s} }, nil},
		"status.domains": {func(text string) []Object {
			s := docsSite()
			s.Held = []string{text + ".example.org"}
			return []Object{s}
		}, nil},
		"slice's name": {func(text string) []Object { s := docsSlice("10.0.0.1"); s.Name = text; return []Object{docsSite(), s} }, nil},
		"port's name": {func(text string) []Object {
			s := docsService()
			s.Ports[0].Name = text
			return []Object{docsSite(), s}
		}, nil},
	} {
		first, other := leaves(t, test.put("first")), leaves(t, test.put("other"))
		if len(first) != len(other) {
			t.Fatalf("%s: %d leaves became %d", field, len(first), len(other))
		}
		found := make(map[string]bool)
		for i := range first {
			if first[i] == other[i] {
				continue
			}
			path, text, _ := strings.Cut(first[i], "=")
			if other[i] != path+"="+strings.NewReplacer("first", "other", "10.1.1.1", "10.2.2.2").Replace(text) {
				t.Errorf("%s: %s became %s", field, first[i], other[i])
			}
			found[path] = true
		}
		if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, test.leaves) {
			t.Errorf("%s changes\n\t%q, want\n\t%q", field, got, test.leaves)
		}
	}
}

// onService is docsSite with a Service of that name, and one endpoint.
func onService(name, address, zone string) []Object {
	site, service, slice := docsSite(), docsService(), docsSlice(address)
	site.Service, service.Name, slice.Service = name, name, name
	slice.Endpoints[0].Zone = zone
	return []Object{site, service, slice}
}

// leaves writes each value of each resource as "Type.path=value", in the order of
// the resources: those of objects beside a neighbour's.
func leaves(t *testing.T, objects []Object) (all []string) {
	t.Helper()
	neighbour := &Site{Key: Key{Namespace: "neighbour", Name: "main"}, Domain: "zz.example.com", Service: "web", Port: 80}
	for _, r := range NewWorld(Options{}).Apply(changesOf(append(objects, neighbour)...)).Resources {
		text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r.Message)
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			t.Fatal(err)
		}
		all = flatten(all, short(r.Type), value)
	}
	return all
}

func flatten(all []string, path string, value any) []string {
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			all = flatten(all, path+"."+name, value[name])
		}
	case []any:
		for _, item := range value {
			all = flatten(all, path, item)
		}
	default:
		all = append(all, fmt.Sprintf("%s=%v", path, value))
	}
	return all
}
