package translate

import (
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/translate/text"
)

// maxSiteBytes is the most that one site may take in every proxy, and of every
// response that it is in. What we make of a site today has 400 bytes.
const maxSiteBytes = 64 << 10

// foresee says why a proxy would refuse what a specification becomes, as far as
// that can be known beforehand: a site is built and looked at alone before it
// gets a chance to meet others in one response. What is found makes the
// specification invalid, so that the site is withheld like any other. It returns
// what it has looked at, which is mostly what will be sent.
func foresee(key Key, spec goodSpec) (*routev3.ScopedRouteConfiguration, error) {
	routes := scopedRoutes(spec.domain, scope{site: key, service: spec.service, port: spec.port})
	if err := checkRoutes(routes); err != nil {
		return nil, err
	}
	return routes, checkMessage(endpointsCluster(clusterName(spec.service, spec.port), clusterShape{}))
}

// checkRoutes adds to the generated validators what Envoy looks at besides.
func checkRoutes(r *routev3.ScopedRouteConfiguration) error {
	if err := checkMessage(r); err != nil {
		return err
	}
	domains := make(map[string]bool)
	for _, host := range r.RouteConfiguration.VirtualHosts {
		for _, domain := range host.Domains {
			lower := strings.ToLower(domain)
			if domains[lower] {
				return fmt.Errorf("the domain %s is there twice: remove one", text.Quote(domain))
			}
			domains[lower] = true
		}
		if err := checkHeaders(host.RequestHeadersToAdd, host.ResponseHeadersToAdd); err != nil {
			return err
		}
		for _, route := range host.Routes {
			if err := checkHeaders(route.RequestHeadersToAdd, route.ResponseHeadersToAdd); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkMessage(m interface {
	proto.Message
	ValidateAll() error
}) error {
	if size := proto.Size(m); size > maxSiteBytes {
		return fmt.Errorf("it becomes %d bytes of configuration: make it smaller, at most %d are sent to every proxy", size, maxSiteBytes)
	}
	return m.ValidateAll()
}

// checkHeaders refuses headers that are not ours to set, and values that would
// be more than text: to Envoy they are format strings.
func checkHeaders(lists ...[]*corev3.HeaderValueOption) error {
	for _, list := range lists {
		for _, h := range list {
			name, value := h.GetHeader().GetKey(), h.GetHeader().GetValue()
			switch {
			case strings.HasPrefix(name, ":") || strings.EqualFold(name, "host"):
				return fmt.Errorf("header %s cannot be set: remove it", text.Quote(name))
			case strings.Contains(strings.ReplaceAll(value, "%%", ""), "%"):
				return fmt.Errorf("header %s has a percent sign in %s: write %%%%", text.Quote(name), text.Quote(value))
			}
		}
	}
	return nil
}
