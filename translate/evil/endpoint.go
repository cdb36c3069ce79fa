package evil

import (
	"fmt"
	"math"

	. "my-company.com/staticsite-operator/object"
)

// addresses are the endpoints that nobody may have.
func addresses() []Case {
	var cases []Case
	for name, address := range map[string]string{
		"empty":                               "",
		"loopback":                            "127.0.0.1",
		"all of loopback":                     "127.255.255.254",
		"IPv6 loopback":                       "::1",
		"loopback in IPv6":                    "::ffff:127.0.0.1",
		"loopback in old IPv6":                "::127.0.0.1",
		"loopback behind NAT64":               "64:ff9b::7f00:1",
		"the metadata service":                "169.254.169.254",
		"the metadata service in IPv6":        "fd00:ec2::254",
		"the metadata service mapped to IPv6": "::ffff:169.254.169.254",
		"the metadata service behind NAT64":   "64:ff9b::a9fe:a9fe",
		"credentials of pods":                 "169.254.170.23",
		"Alibaba's metadata service":          "100.100.100.200",
		"Azure's service for machines":        "168.63.129.16",
		"Oracle's metadata service":           "192.0.0.192",
		"Google's metadata service in IPv6":   "fd20:ce::254",
		"Amazon's name servers in IPv6":       "fd00:ec2::253",
		"loopback behind one's own NAT64":     "64:ff9b:1::7f00:1",
		"metadata behind one's own NAT64":     "64:ff9b:1:a9fe:a9:fe00::",
		"loopback in 6to4":                    "2002:7f00:1::1",
		"the metadata service in 6to4":        "2002:a9fe:a9fe::1",
		"loopback in Teredo":                  "2001:0:7f00:1::1",
		"the metadata service in Teredo":      "2001::5601:5601",
		"loopback in ISATAP":                  "2001:db8::5efe:127.0.0.1",
		"the metadata service in ISATAP":      "fd12:3456::200:5efe:169.254.169.254",
		"Azure's service in ISATAP":           "2001:db8::5efe:a83f:8110",
		"loopback translated":                 "::ffff:0:127.0.0.1",
		"link-local":                          "169.254.0.1",
		"link-local IPv6":                     "fe80::1",
		"a zone in an address":                "fe80::1%eth0",
		"a format operator as a zone":         "10.0.0.1%REQ(x)%",
		"unspecified":                         "0.0.0.0",
		"unspecified IPv6":                    "::",
		"multicast":                           "224.0.0.1",
		"multicast IPv6":                      "ff02::1",
		"broadcast":                           "255.255.255.255",
		"a host name":                         "metadata.google.internal",
		"a URL":                               "http://10.0.0.1/",
		"a port":                              "10.0.0.1:22",
		"a range":                             "10.0.0.0/8",
		"octal":                               "010.0.0.1",
		"one number":                          "2130706433",
		"a path to a socket":                  "/var/run/docker.sock",
		"spaces":                              " 10.0.0.1",
		"a newline":                           "10.0.0.1\n",
		"NUL":                                 "10.0.0.1\x00",
		"invalid UTF-8":                       "\xff",
		"a megabyte":                          text(megabyte),
	} {
		cases = append(cases, Case{Name: name, Put: []Object{slice(Endpoint{Address: address, Ready: true})},
			Condition: "ResolvedRefs", Says: []string{"EndpointSlice evil/web-1: endpoints: ", "take it out of the slice"}})
	}
	return cases
}

// slices are the other ways to write EndpointSlices.
func slices() []Case {
	const tooMany = 5_000
	typed := func(typ string) *Slice {
		s := slice(Endpoint{Address: "10.9.9.9", Ready: true})
		s.AddressType = typ
		return s
	}
	ported := func(port int32, protocol string) *Slice {
		s := slice(Endpoint{Address: "10.9.9.9", Ready: true})
		s.Ports = []SlicePort{{Port: port, Protocol: protocol}}
		return s
	}
	speaking := func(appProtocol string) *Slice {
		s := slice(Endpoint{Address: "10.9.9.9", Ready: true})
		s.Ports[0].AppProtocol = appProtocol
		return s
	}
	// A port beside the good one, of the same name, as no controller would write it.
	beside := func(p SlicePort) *Slice {
		s := slice(Endpoint{Address: "10.9.9.9", Ready: true})
		s.Ports = append([]SlicePort{p}, s.Ports...)
		return s
	}
	zoned := func(zone string) *Slice { return slice(Endpoint{Address: "10.9.9.9", Ready: true, Zone: zone}) }
	of := func(service string) *Slice {
		s := slice(Endpoint{Address: "10.9.9.9", Ready: true})
		s.Key, s.Service = key("other"), service
		return s
	}
	address := func(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }
	var many, draining, refused, same, zones []Endpoint
	for n := range tooMany {
		many = append(many, Endpoint{Address: address(n), Ready: true})
		draining = append(draining, Endpoint{Address: address(n), Draining: true})
		refused = append(refused, Endpoint{Address: fmt.Sprintf("127.0.%d.%d", n>>8, n&255), Ready: true})
		same = append(same, Endpoint{Address: "10.9.9.9", Ready: true, Zone: fmt.Sprint(n)})
	}
	for n := range 1000 {
		zones = append(zones, Endpoint{Address: address(n), Ready: true, Zone: fmt.Sprint("zone-", n)})
	}
	hundreds := Case{Name: "five hundred slices with a thousand endpoints", Condition: "ResolvedRefs",
		Says: []string{"spec.backend.serviceName: ", "more than 1000 ready endpoints", "run fewer pods"}}
	for n := range 500 {
		s := slice()
		s.Name = fmt.Sprint("many-", n)
		for m := range 10 {
			s.Endpoints = append(s.Endpoints, Endpoint{Address: address(n*10 + m), Ready: true})
		}
		hundreds.Put = append(hundreds.Put, s)
	}
	named := slice(Endpoint{Address: "127.0.0.1", Ready: true})
	named.Name = "\x00" + text(megabyte)
	return []Case{
		hundreds,
		{Name: "names for addresses", Put: []Object{typed("FQDN")}, Condition: "ResolvedRefs",
			Says: []string{"EndpointSlice evil/web-1: endpoints: ", "addressType FQDN", "take it out"}},
		{Name: "a name of a megabyte", Put: []Object{named}, Condition: "ResolvedRefs", Says: []string{"endpoints: ", "take it out"}},
		{Name: "thousands of endpoints", Put: []Object{slice(many...)}, Condition: "ResolvedRefs",
			Says: []string{"spec.backend.serviceName: ", "more than 1000 ready endpoints", "run fewer pods"}},
		{Name: "thousands of endpoints that are about to end", Put: []Object{slice(draining...)}, Condition: "ResolvedRefs",
			Says: []string{"spec.backend.serviceName: ", "more than 1000", "run fewer pods"}},
		{Name: "an endpoint on loopback that is about to end", Put: []Object{slice(Endpoint{Address: "127.0.0.1", Draining: true})},
			Condition: "ResolvedRefs", Says: []string{"EndpointSlice evil/web-1: endpoints: ", "take it out"}},
		{Name: "https", Put: []Object{speaking("https")}, Condition: "ResolvedRefs",
			Says: []string{"spec.backend.servicePort: ", "which is TLS", "write one that speaks HTTP/1.1"}},
		{Name: "good: HTTP/2", Put: []Object{speaking("kubernetes.io/h2c")}},
		{Name: "good: https, of a port without a number", Put: []Object{beside(SlicePort{AppProtocol: "https"})}},
		{Name: "good: https, of a port for UDP", Put: []Object{beside(SlicePort{Port: 80, Protocol: "UDP", AppProtocol: "https"})}},
		{Name: "thousands of refused endpoints", Put: []Object{slice(refused...)}, Condition: "ResolvedRefs",
			Says: []string{"EndpointSlice evil/web-1: endpoints: ", "nor are 4999 more", "take it out"}},
		{Name: "good: one endpoint thousands of times", Put: []Object{slice(same...)}},
		{Name: "good: a zone for each endpoint", Put: []Object{slice(zones...)}},
		{Name: "good: an address type that does not exist", Put: []Object{typed("\r\n")}},
		{Name: "good: port 0", Put: []Object{ported(0, "")}},
		{Name: "good: a port below 0", Put: []Object{ported(-1, "")}},
		{Name: "good: a port above all", Put: []Object{ported(math.MaxInt32, "")}},
		{Name: "good: port 65616, which is 80 in 16 bits", Put: []Object{ported(65616, "")}},
		{Name: "good: another protocol", Put: []Object{ported(80, "\x00")}},
		{Name: "good: no ports", Put: []Object{&Slice{Key: key("web-1"), Service: "web", AddressType: "IPv4", Endpoints: []Endpoint{{Address: "10.9.9.9", Ready: true}}}}},
		{Name: "good: a zone with control characters", Put: []Object{zoned("a\nb\x00")}},
		{Name: "good: a zone with dots, as metrics have", Put: []Object{zoned("a.upstream_rq_total: 1")}},
		{Name: "good: a zone that is a format operator", Put: []Object{zoned("%REQ(x)%")}},
		{Name: "good: a zone of 64 characters", Put: []Object{zoned(text(64))}},
		{Name: "good: a zone of a megabyte", Put: []Object{zoned(text(megabyte))}},
		{Name: "good: a zone in invalid UTF-8", Put: []Object{zoned("\xff")}},
		{Name: "good: the victim's Service by path", Put: []Object{of("victim/web")}},
		{Name: "good: the victim's Service by name", Put: []Object{of("web.victim")}},
		{Name: "good: no Service", Put: []Object{of("")}},
	}
}
