package evil

import (
	"fmt"
	"math"
	"strings"

	. "my-company.com/staticsite-operator/object"
)

// names are the ways to be called.
func names() []Case {
	var cases []Case
	for _, c := range []struct {
		name string
		key  Key
		says string
	}{
		{"no name", Key{Namespace: Tenant}, "metadata.name: "},
		{"a slash", key("../victim/main"), "metadata.name: "},
		{"an underscore, which joins to another", Key{Namespace: Tenant, Name: "a_b"}, "metadata.name: "},
		{"capitals", key("Main"), "metadata.name: "},
		{"a newline", key("main\nvictim"), "metadata.name: "},
		{"NUL", key("main\x00"), "metadata.name: "},
		{"invalid UTF-8", key("\xff"), "metadata.name: "},
		{"a format operator", key("%REQ(authorization)%"), "metadata.name: "},
		{"254 characters", key(text(63) + "." + text(63) + "." + text(63) + "." + text(62)), "write at most 253"},
		{"a megabyte", key(text(megabyte)), "write at most 253"},
		{"a namespace with an underscore, which joins to another", Key{Namespace: "evil_web", Name: "main"}, "metadata.namespace: "},
		{"a namespace with a dot", Key{Namespace: "evil.victim", Name: "main"}, "metadata.namespace: "},
		{"a namespace of 64 characters", Key{Namespace: "evil" + text(60), Name: "main"}, "metadata.namespace: "},
		{"a namespace with a format operator", Key{Namespace: "evil%REQ(cookie)%", Name: "main"}, "metadata.namespace: "},
	} {
		s := site("other." + Domain)
		s.Key, s.Held = c.key, nil
		cases = append(cases, Case{Name: c.name, Put: []Object{s}, Condition: "Accepted", Says: []string{c.says, "write"}})
	}
	for name, key := range map[string]Key{
		"as long as can be":                    key(text(63) + "." + text(63) + "." + text(63) + "." + text(61)),
		"a name that joins to another":         {Namespace: "evil-main", Name: "web"},
		"another of the same name":             {Namespace: "evil-2", Name: "main"},
		"the name of the tenant that is there": key("victim"),
	} {
		s := site("other." + Domain)
		s.Key, s.Held, s.Service = key, nil, "web"
		c := Case{Name: "good: " + name, Put: []Object{s}}
		if key.Namespace != Tenant {
			c.Put = append(c.Put, &Service{Key: Key{Namespace: key.Namespace, Name: "web"}, Ports: []ServicePort{{Port: 80}}})
		}
		cases = append(cases, c)
	}
	return cases
}

// records are the ways to forge status.domains, the record of a claim, without a
// specification that would back it.
func records() []Case {
	forged := func(name string, held ...string) Case {
		s := site("*")
		s.Held = held
		return Case{Name: name, Put: []Object{s}, Condition: "Accepted", Says: []string{"spec.domain: ", "write one whole host name"}}
	}
	var many []string
	for n := range 10_000 {
		many = append(many, fmt.Sprintf("held-%d.%s", n, Domain))
	}
	return []Case{
		forged("the victim's domain", Domain, VictimDomain),
		forged("the victim's domain in capitals", Domain, "VICTIM.example.com."),
		forged("no domains at all", Domain, "", "*", "\x00", "%REQ(cookie)%", text(megabyte), "http://x/"),
		forged("the same one many times", strings.Fields(strings.Repeat(Domain+" ", 1000))...),
		forged("ten thousand domains", many...),
	}
}

// backends are the ways to write spec.backend.
func backends() []Case {
	var cases []Case
	for _, c := range []struct{ name, service, says string }{
		{"empty", "", "write the name of a Service"},
		{"64 characters", text(64), "a Service name has at most 63"},
		{"a megabyte", text(megabyte), "a Service name has at most 63"},
		{"capitals", "Web", "write web"},
		{"the victim's, by namespace", "web.victim", "write web, without namespace"},
		{"the victim's, by domain name", "web.victim.svc.cluster.local", "write web, without namespace"},
		{"the victim's, by path", "../victim/web", "write the name of a Service"},
		{"the victim's cluster", "victim_web_80_cluster", "write the name of a Service"},
		{"the control plane's cluster", "xds_cluster", "write the name of a Service"},
		{"an underscore, which joins to another", "web_80", "write the name of a Service"},
		{"an address", "169.254.169.254", "is an IP address: write the name of a Service"},
		{"an address in other words", "0x7f.1", "write 0x7f, without namespace"},
		{"a URL", "http://web", "write the name of a Service"},
		{"a newline", "web\n", "write the name of a Service"},
		{"NUL", "web\x00", "write the name of a Service"},
		{"invalid UTF-8", "web\xff", "write the name of a Service"},
		{"a format operator", "%UPSTREAM_METADATA(a)%", "write the name of a Service"},
	} {
		s := site(Domain)
		s.Service = c.service
		cases = append(cases, Case{Name: "serviceName: " + c.name, Put: []Object{s}, Condition: "Accepted", Says: []string{"spec.backend.serviceName: ", c.says}})
	}
	for _, port := range []int32{0, -1, 65536, math.MaxInt32, math.MinInt32} {
		s := site(Domain)
		s.Port = port
		cases = append(cases, Case{Name: fmt.Sprintf("servicePort %d", port), Put: []Object{s},
			Condition: "Accepted", Says: []string{"spec.backend.servicePort: ", "a number from 1 to 65535"}})
	}
	elsewhere, unlisted := site(Domain), site(Domain)
	elsewhere.Service, unlisted.Port = "nothing", 65535
	digit := site(Domain)
	digit.Service = "0"
	return append(cases,
		Case{Name: "good: serviceName: a digit", Put: []Object{digit, &Service{Key: key("0"), Ports: []ServicePort{{Port: 80}}}}},
		Case{Name: "a Service that does not exist", Put: []Object{elsewhere}, Condition: "ResolvedRefs",
			Says: []string{"spec.backend.serviceName: ", "evil/nothing does not exist", "create it"}},
		Case{Name: "a port that is not the Service's", Put: []Object{unlisted}, Condition: "ResolvedRefs",
			Says: []string{"spec.backend.servicePort: ", "has no port 65535", "write one that it has: 80"}},
	)
}

// services are the ways to write a Service.
func services() []Case {
	typed := func(typ string) *Service {
		s := service(ServicePort{Port: 80})
		s.Type = typ
		return s
	}
	var many []ServicePort
	for n := range int32(10_000) {
		many = append(many, ServicePort{Name: fmt.Sprint("p", n), Port: 10_000 + n})
	}
	gone := Ref{Kind: KindService, Key: key("web")}
	speaking := func(appProtocol string) *Service { return service(ServicePort{Port: 80, AppProtocol: appProtocol}) }
	// headless has a target port that DNS must tell, and does not.
	headless := func(name string, target int32, named bool) Case {
		s := service(ServicePort{Port: 80, Target: target, NamedTarget: named})
		s.Headless = true
		return Case{Name: "headless, " + name, Put: []Object{s}, DNS: true,
			Condition: "ResolvedRefs", Says: []string{"spec.backend.servicePort: ", "is headless", "write the number of that port as targetPort"}}
	}
	harmless := headless("good", 8080, false).Put
	refuse := func(name string, s *Service, says ...string) Case {
		return Case{Name: name, Put: []Object{s}, Condition: "ResolvedRefs", Says: says}
	}
	return []Case{
		{Name: "deleted", Gone: []Ref{gone}, Condition: "ResolvedRefs", Says: []string{"spec.backend.serviceName: ", "create it"}},
		refuse("ExternalName", typed("ExternalName"), "spec.backend.serviceName: ", "write a Service with pods of its own"),
		refuse("no ports", service(), "spec.backend.servicePort: ", "add one to spec.ports of the Service"),
		refuse("UDP", service(ServicePort{Port: 80, Protocol: "UDP"}), "spec.backend.servicePort: ", "HTTP needs TCP"),
		refuse("a protocol that does not exist", service(ServicePort{Port: 80, Protocol: "\r\n%REQ(x)%" + text(megabyte)}), "spec.backend.servicePort: ", "HTTP needs TCP"),
		refuse("ports out of range", service(ServicePort{Port: -80}, ServicePort{Port: 65616}), "spec.backend.servicePort: ", "has no port 80"),
		refuse("ten thousand other ports", service(many...), "spec.backend.servicePort: ", "has no port 80"),
		refuse("a port name of a megabyte", service(ServicePort{Name: text(megabyte), Port: 81}), "spec.backend.servicePort: ", "has no port 80"),
		refuse("https", speaking("https"), "spec.backend.servicePort: ", "which is TLS", "write one that speaks HTTP/1.1"),
		refuse("https in capitals", speaking("HTTPS"), "spec.backend.servicePort: ", "which is TLS", "write one that speaks HTTP/1.1"),
		refuse("WebSocket in TLS", speaking("kubernetes.io/wss"), "spec.backend.servicePort: ", "which is TLS", "write one that speaks HTTP/1.1"),
		refuse("HTTP/2 as two vendors mean it", speaking("HTTP2"), "spec.backend.servicePort: ", "with TLS to some", "kubernetes.io/h2c"),
		refuse("a database", speaking("redis"), "spec.backend.servicePort: ", "which is not HTTP", "write one that speaks HTTP/1.1"),
		refuse("https beside a port that is good", service(ServicePort{Port: 80, AppProtocol: "https"}, ServicePort{Port: 81}),
			"spec.backend.servicePort: ", "which is TLS", "write one that it has: 81"),
		headless("a name as target port", 0, true),
		headless("a target port above all", math.MaxInt32, false),
		headless("a target port below 0", -1, false),
		{Name: "good: headless, a target port", Put: harmless},
		{Name: "good: HTTP/2", Put: []Object{speaking("kubernetes.io/h2c")}},
		{Name: "good: a protocol that nobody knows", Put: []Object{speaking("evil.example.com/\x00%REQ(x)%\xff" + text(megabyte))}},
		{Name: "good: a type that does not exist", Put: []Object{typed("\x00")}},
		{Name: "good: a port name that no slice has", Put: []Object{service(ServicePort{Name: "\xff%REQ(x)%", Port: 80})}},
		{Name: "good: the port for UDP, then for TCP", Put: []Object{service(ServicePort{Port: 80, Protocol: "UDP"}, ServicePort{Port: 80})}},
		{Name: "good: the port a thousand times", Put: []Object{service(make80s(1000)...)}},
	}
}

func make80s(n int) []ServicePort {
	ports := make([]ServicePort, n)
	for i := range ports {
		ports[i].Port = 80
	}
	return ports
}
