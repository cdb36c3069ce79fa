package upstream

import (
	"cmp"
	"fmt"
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/text"
)

// Problem returns why a port of the Service, and all that is behind it, cannot be
// served: a reason of api/v1alpha1 and a message; both empty if it can. That no
// endpoint is ready is no problem: pods come and go.
func (s *Service) Problem(port int32, upstreams envoy.Upstreams) (reason, message string) {
	p, reason, message := s.Port(port)
	switch {
	case reason != "":
		return reason, message
	case upstreams == envoy.UpstreamsDNS && s.DNSPort(p) == 0:
		return v1alpha1.ReasonUnsupportedTargetPort, fmt.Sprintf(
			"spec.backend.servicePort: Service %s is headless, so its name leads to pods, and no DNS answer says which of their ports is meant: write the number of that port as targetPort of port %d of the Service (1 to 65535, not a name)", s.Key, port)
	case s.Refused != "":
		return v1alpha1.ReasonEndpointNotAllowed, s.Refused
	}
	return "", ""
}

// Crowded is the problem of a Service with more ready endpoints than are used.
func (s *Service) Crowded() (reason, message string) {
	return v1alpha1.ReasonTooManyEndpoints, fmt.Sprintf(
		"spec.backend.serviceName: Service %s has more than %d ready endpoints, and only that many are used: run fewer pods, or write another Service", s.Key, maxMembers)
}

// Port returns the Service's port of that number, or the reason why there is
// none that can be served. A number may stand twice, for TCP and for UDP.
func (s *Service) Port(port int32) (p object.ServicePort, reason, message string) {
	switch {
	case s.Object == nil:
		return p, v1alpha1.ReasonServiceNotFound, fmt.Sprintf(
			"spec.backend.serviceName: Service %s does not exist: create it, or write the name of one that does", s.Key)
	case s.Object.Type == "ExternalName":
		return p, v1alpha1.ReasonUnsupportedServiceType, fmt.Sprintf(
			"spec.backend.serviceName: Service %s is of type ExternalName, which could point a site at anything, inside the cluster or outside: write a Service with pods of its own", s.Key)
	}
	found := false
	for _, q := range s.Object.Ports {
		if q.Port != port {
			continue
		}
		if isTCP(q.Protocol) {
			q.AppProtocol = cmp.Or(q.AppProtocol, s.spoken[q.Name])
			if _, refused := protocolOf(q.AppProtocol); refused != "" {
				return q, v1alpha1.ReasonUnsupportedProtocol, fmt.Sprintf(
					"spec.backend.servicePort: port %d of Service %s has appProtocol %s, %s: %s", port, s.Key, text.Quote(q.AppProtocol), refused, s.portAdvice())
			}
			return q, "", ""
		}
		p, found = q, true
	}
	if found {
		return p, v1alpha1.ReasonUnsupportedProtocol, fmt.Sprintf(
			"spec.backend.servicePort: port %d of Service %s is %s, and HTTP needs TCP: %s", port, s.Key, text.Quote(p.Protocol), s.portAdvice())
	}
	return p, v1alpha1.ReasonPortNotFound, fmt.Sprintf(
		"spec.backend.servicePort: Service %s has no port %d: %s", s.Key, port, s.portAdvice())
}

// portAdvice lists the ports that could be written instead.
func (s *Service) portAdvice() string {
	const most = 10
	var ports []string
	other := false
	for _, p := range s.Object.Ports {
		if !isTCP(p.Protocol) {
			continue
		}
		if _, refused := protocolOf(cmp.Or(p.AppProtocol, s.spoken[p.Name])); refused != "" {
			other = true
			continue
		}
		if len(ports) == most {
			ports = append(ports, "...")
			break
		}
		port := fmt.Sprint(p.Port)
		if p.Name != "" {
			port += " (" + text.Quote(p.Name) + ")"
		}
		ports = append(ports, port)
	}
	if len(ports) == 0 && other {
		return "write one that speaks HTTP/1.1, or HTTP/2 without TLS (appProtocol kubernetes.io/h2c); add it to spec.ports of the Service"
	}
	if len(ports) == 0 {
		return "it has no TCP port; add one to spec.ports of the Service"
	}
	return "write one that it has: " + strings.Join(ports, ", ")
}

// DNSPort returns the port that a proxy connects to in upstreams dns, 0 if that
// cannot be known. The name of a headless Service leads to its pods, and nobody
// translates the port on the way.
func (s *Service) DNSPort(p object.ServicePort) int32 {
	switch target := cmp.Or(p.Target, p.Port); {
	case !s.Object.Headless:
		return p.Port
	case p.NamedTarget || target < 1 || target > 65535:
		return 0
	default:
		return target
	}
}

// Shape returns the shape that the cluster of a port should have. One whose port does
// not exist, or speaks what no proxy can, has no endpoints, and the usual shape.
func (s *Service) Shape(port int32, upstreams envoy.Upstreams) (shape envoy.Shape) {
	p, reason, _ := s.Port(port)
	if reason != "" {
		return shape
	}
	shape.HTTP2, _ = protocolOf(p.AppProtocol)
	if upstreams == envoy.UpstreamsDNS {
		shape.Target = s.DNSPort(p)
	}
	return shape
}

func isTCP(protocol string) bool { return protocol == "" || protocol == "TCP" }
