package translate

import (
	"cmp"
	"fmt"
	"strings"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate/text"
)

// resolve says whether a port of a Service, and all that is behind it, can be
// served. That no endpoint is ready is not asked: pods come and go.
func (be *backend) resolve(port int32, upstreams Upstreams) Condition {
	p, reason, message := be.port(port)
	switch {
	case reason != "":
		return Condition{Reason: reason, Message: message}
	case upstreams == UpstreamsDNS && be.dnsPort(p) == 0:
		return Condition{Reason: v1alpha1.ReasonUnsupportedTargetPort, Message: fmt.Sprintf(
			"spec.backend.servicePort: Service %s is headless, so its name leads to pods, and no DNS answer says which of their ports is meant: write the number of that port as targetPort of port %d of the Service (1 to 65535, not a name)", be.key, port)}
	case be.refused != "":
		return Condition{Reason: v1alpha1.ReasonEndpointNotAllowed, Message: be.refused}
	case be.crowded(port):
		return Condition{Reason: v1alpha1.ReasonTooManyEndpoints, Message: fmt.Sprintf(
			"spec.backend.serviceName: Service %s has more than %d ready endpoints, and only that many are used: run fewer pods, or write another Service", be.key, maxMembers)}
	}
	return Condition{OK: true, Reason: v1alpha1.ReasonResolvedRefs, Message: "the Service and its port exist"}
}

// crowded says whether a port has more endpoints than are used.
func (be *backend) crowded(port int32) bool {
	c := be.cluster(port)
	return c != nil && c.crowded
}

// port returns the Service's port of that number, or the reason why there is
// none that can be served. A number may stand twice, for TCP and for UDP.
func (be *backend) port(port int32) (p ServicePort, reason, message string) {
	switch {
	case be.service == nil:
		return p, v1alpha1.ReasonServiceNotFound, fmt.Sprintf(
			"spec.backend.serviceName: Service %s does not exist: create it, or write the name of one that does", be.key)
	case be.service.Type == "ExternalName":
		return p, v1alpha1.ReasonUnsupportedServiceType, fmt.Sprintf(
			"spec.backend.serviceName: Service %s is of type ExternalName, which could point a site at anything, inside the cluster or outside: write a Service with pods of its own", be.key)
	}
	found := false
	for _, q := range be.service.Ports {
		if q.Port != port {
			continue
		}
		if isTCP(q.Protocol) {
			q.AppProtocol = cmp.Or(q.AppProtocol, be.spoken[q.Name])
			if _, refused := protocolOf(q.AppProtocol); refused != "" {
				return q, v1alpha1.ReasonUnsupportedProtocol, fmt.Sprintf(
					"spec.backend.servicePort: port %d of Service %s has appProtocol %s, %s: %s", port, be.key, text.Quote(q.AppProtocol), refused, be.portAdvice())
			}
			return q, "", ""
		}
		p, found = q, true
	}
	if found {
		return p, v1alpha1.ReasonUnsupportedProtocol, fmt.Sprintf(
			"spec.backend.servicePort: port %d of Service %s is %s, and HTTP needs TCP: %s", port, be.key, text.Quote(p.Protocol), be.portAdvice())
	}
	return p, v1alpha1.ReasonPortNotFound, fmt.Sprintf(
		"spec.backend.servicePort: Service %s has no port %d: %s", be.key, port, be.portAdvice())
}

// portAdvice lists the ports that could be written instead.
func (be *backend) portAdvice() string {
	const most = 10
	var ports []string
	other := false
	for _, p := range be.service.Ports {
		if !isTCP(p.Protocol) {
			continue
		}
		if _, refused := protocolOf(cmp.Or(p.AppProtocol, be.spoken[p.Name])); refused != "" {
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

// dnsPort returns the port that a proxy connects to in upstreams dns, 0 if that
// cannot be known. The name of a headless Service leads to its pods, and nobody
// translates the port on the way.
func (be *backend) dnsPort(p ServicePort) int32 {
	switch target := cmp.Or(p.Target, p.Port); {
	case !be.service.Headless:
		return p.Port
	case p.NamedTarget || target < 1 || target > 65535:
		return 0
	default:
		return target
	}
}

func isTCP(protocol string) bool { return protocol == "" || protocol == "TCP" }
