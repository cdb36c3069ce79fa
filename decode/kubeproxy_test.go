package decode

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// TestOddServicesAndSlices goes through the fields of Services and EndpointSlices
// that the API server permits to be absent or odd (1.36: validation of core/v1 and
// discovery/v1). Where nothing else is said, kube-proxy does what is done here
// (pkg/proxy: endpointslicecache.go, topology.go).
func TestOddServicesAndSlices(t *testing.T) {
	const (
		port    = `ports: [{name: "", port: 8080, protocol: TCP}]`
		service = "type: ClusterIP, ports: [{port: 80, protocol: TCP}]"
	)
	for name, c := range map[string]struct {
		service string // of its spec; empty: that above
		slice   string // all but metadata, in lines
		want    string // the endpoints that are used
		says    string // of ResolvedRefs, if it is not True
	}{
		"all fields":                    {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: true, serving: true, terminating: false}, hostname: a, nodeName: n, zone: z, targetRef: {kind: Pod, name: a}, hints: {forZones: [{name: z}]}}]", want: "10.0.0.1:8080"},
		"no endpoints":                  {slice: "addressType: IPv4; " + port + "; endpoints: null"},
		"no ports":                      {slice: "addressType: IPv4; ports: null; endpoints: [{addresses: [10.0.0.1]}]"},
		"a port without a number":       {slice: `addressType: IPv4; ports: [{name: "", port: null, protocol: TCP}]; endpoints: [{addresses: [10.0.0.1]}]`},
		"such a port beside a good one": {slice: `addressType: IPv4; ports: [{name: all, protocol: TCP}, {name: "", port: 8080, protocol: TCP}]; endpoints: [{addresses: [10.0.0.1]}]`, want: "10.0.0.1:8080"},
		"port 0":                        {slice: `addressType: IPv4; ports: [{name: "", port: 0, protocol: TCP}]; endpoints: [{addresses: [10.0.0.1]}]`},
		// The API server does not look at the number. kube-proxy hands it to the kernel.
		"a port below 0":             {slice: `addressType: IPv4; ports: [{name: "", port: -80, protocol: TCP}]; endpoints: [{addresses: [10.0.0.1]}]`},
		"a port above all":           {slice: `addressType: IPv4; ports: [{name: "", port: 65616, protocol: TCP}]; endpoints: [{addresses: [10.0.0.1]}]`},
		"a port of another name":     {slice: `addressType: IPv4; ports: [{name: other, port: 8080, protocol: TCP}]; endpoints: [{addresses: [10.0.0.1]}]`},
		"a port of another protocol": {slice: `addressType: IPv4; ports: [{name: "", port: 8080, protocol: SCTP}]; endpoints: [{addresses: [10.0.0.1]}]`},
		// Both get their defaults from the API server; files do not pass through it.
		"a port without name and protocol": {slice: "addressType: IPv4; ports: [{port: 8080}]; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},

		"no conditions":                {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: null}]", want: "10.0.0.1:8080"},
		"conditions that are null":     {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: null, serving: null, terminating: null}}]", want: "10.0.0.1:8080"},
		"ready, terminating":           {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: true, terminating: true}}]", want: "10.0.0.1:8080"}, // publishNotReadyAddresses
		"not ready":                    {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: false}}]"},
		"serving, not terminating":     {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: false}}]"},
		"serving, terminating":         {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: true}}]", want: "10.0.0.1:8080"},
		"terminating, serving unknown": {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: false, terminating: true}}]", want: "10.0.0.1:8080"},
		"terminating, not serving":     {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: false, serving: false, terminating: true}}]"},
		"terminating beside ready":     {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], conditions: {ready: false, terminating: true}}, {addresses: [10.0.0.2]}]", want: "10.0.0.2:8080"},
		"the address of a pod that is about to end, and of a ready one": {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.1], conditions: {ready: false, terminating: true}}]", want: "10.0.0.1:8080"},

		"several addresses": {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1, 10.0.0.2]}]", want: "10.0.0.1:8080"},
		"no addresses":      {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: []}, {addresses: [10.0.0.2]}]", want: "10.0.0.2:8080"},
		"IPv6":              {slice: `addressType: IPv6; ` + port + `; endpoints: [{addresses: ["2001:db8::1"]}]`, want: "[2001:db8::1]:8080"},
		// kube-proxy passes over names in silence, and reads 010 as 10, others as 8.
		"names":                        {slice: "addressType: FQDN; " + port + "; endpoints: [{addresses: [a.example.com]}]", says: "addressType FQDN"},
		"an address with leading zero": {slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [010.0.0.1]}]", says: "not an IP address"},

		"no selector, no type":    {service: "ports: [{port: 80, protocol: TCP}]", slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		"two ports of one number": {service: "ports: [{name: u, port: 80, protocol: UDP}, {name: t, port: 80, protocol: TCP}]", slice: "addressType: IPv4; ports: [{name: u, port: 1, protocol: UDP}, {name: t, port: 8080, protocol: TCP}]; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		"families null":           {service: "ipFamilies: null, " + service, slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		// It makes no rules for these; we reach pods without them.
		"headless":                 {service: "clusterIP: None, clusterIPs: [None], " + service, slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		"headless, without ports":  {service: "clusterIP: None", slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", says: "has no port 80"},
		"ExternalName, no ports":   {service: "type: ExternalName, externalName: a.example.com", slice: "addressType: IPv4", says: "ExternalName"},
		"local traffic only":       {service: "internalTrafficPolicy: Local, " + service, slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1], nodeName: other}]", want: "10.0.0.1:8080"}, // The edge is on no node of its readers.
		"a target port by name":    {service: "ports: [{port: 80, targetPort: http}]", slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		"a load balancer":          {service: "type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 30001, ports: [{port: 80, nodePort: 30000}]", slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		"appProtocol null":         {service: "ports: [{port: 80, appProtocol: null}]", slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		"appProtocol of no vendor": {service: "ports: [{port: 80, appProtocol: tcp}]", slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", want: "10.0.0.1:8080"},
		// kube-proxy knows nothing of HTTP.
		"appProtocol https": {service: "ports: [{port: 80, appProtocol: https}]", slice: "addressType: IPv4; " + port + "; endpoints: [{addresses: [10.0.0.1]}]", says: "which is TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.service == "" {
				c.service = service
			}
			changes := map[object.Ref]object.Object{}
			site := &object.Site{Key: object.Key{Namespace: "docs", Name: "main"}, Domain: "docs.example.com", Service: "web", Port: 80}
			for _, read := range []object.Object{
				site, fromCluster(t, object.KindService, "metadata: {name: web, namespace: docs}\nspec: {"+c.service+"}"),
				fromCluster(t, object.KindSlice, "metadata: {name: web-1, namespace: docs, labels: {kubernetes.io/service-name: web}}\n"+strings.ReplaceAll(c.slice, "; ", "\n")),
			} {
				changes[read.Ref()] = read
			}
			delta := translate.NewWorld(translate.Options{}).Apply(changes)
			if got := endpointsOf(delta); !slices.Equal(got, strings.Fields(c.want)) {
				t.Errorf("used are %v, want %v", got, c.want)
			}
			if refs := delta.Verdicts[0].ResolvedRefs; refs.OK != (c.says == "") || !strings.Contains(refs.Message, c.says) {
				t.Errorf("ResolvedRefs is %+v, want %q", refs, c.says)
			}
		})
	}
}

// fromCluster reads an object as an informer would.
func fromCluster(t *testing.T, name object.Kind, text string) object.Object {
	t.Helper()
	p, err := Document{Line: 1, Text: []byte(text)}.parse()
	if err != nil {
		t.Fatal(err)
	}
	read, problem := FromCluster(name, p.value.(map[string]any))
	if problem != nil {
		t.Fatal(problem)
	}
	return read
}

func endpointsOf(delta translate.Delta) (all []string) {
	for _, r := range delta.Resources {
		assignment, ok := r.Message.(*endpointv3.ClusterLoadAssignment)
		if !ok {
			continue
		}
		for _, group := range assignment.Endpoints {
			for _, e := range group.LbEndpoints {
				a := e.GetEndpoint().Address.GetSocketAddress()
				host := a.Address
				if strings.Contains(host, ":") {
					host = "[" + host + "]"
				}
				all = append(all, fmt.Sprintf("%s:%d", host, a.GetPortValue()))
			}
		}
	}
	return all
}
