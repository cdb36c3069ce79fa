package envoy

import (
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/translate/text"
)

// maxSiteBytes is the most that one site may take in every proxy, and of every
// response that it is in. What we make of a site without features has 400 bytes.
const maxSiteBytes = 64 << 10

// A Message is one with a generated validator.
type Message interface {
	proto.Message
	ValidateAll() error
}

// Check returns why a proxy would refuse a message that is made of one site, as far
// as that can be known beforehand: one that is too large, one that the generated
// validator refuses, and of routes what Envoy looks at besides. It is looked at alone,
// before it meets those of other sites in one response. The error says what to do.
func Check(m Message) error {
	if size := proto.Size(m); size > maxSiteBytes {
		return fmt.Errorf("it becomes %d bytes of configuration: make it smaller, at most %d are sent to every proxy", size, maxSiteBytes)
	}
	if err := m.ValidateAll(); err != nil {
		return err
	}
	switch m := m.(type) {
	case *routev3.ScopedRouteConfiguration:
		for _, host := range m.RouteConfiguration.VirtualHosts {
			if err := checkHost(host); err != nil {
				return err
			}
		}
	case *routev3.VirtualHost:
		return checkHost(m)
	}
	return nil
}

func checkHost(host *routev3.VirtualHost) error {
	domains := make(map[string]bool, len(host.Domains))
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
	return nil
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
