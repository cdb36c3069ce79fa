package upstream

import (
	"fmt"
	"net/netip"

	"my-company.com/staticsite-operator/translate/spec"
	"my-company.com/staticsite-operator/translate/text"
)

// refusedRanges are addresses that no endpoint may have unless the operator
// allows them: the proxies stand where tenants do not, and an EndpointSlice is
// a tenant's to write (docs/decisions.md, "Endpoint addresses that a tenant must not
// write"). The first that matches gives the reason.
var refusedRanges = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("169.254.169.254/32"), "it is the cloud's metadata service"},
	{netip.MustParsePrefix("100.100.100.200/32"), "it is the cloud's metadata service"},                   // Alibaba
	{netip.MustParsePrefix("168.63.129.16/32"), "it is the cloud's service for machines"},                 // Azure
	{netip.MustParsePrefix("192.0.0.0/24"), "it is kept for protocols, and one cloud's metadata service"}, // Oracle
	{netip.MustParsePrefix("fd00:ec2::254/128"), "it is the cloud's metadata service"},
	{netip.MustParsePrefix("fd00:ec2::23/128"), "it is the cloud's credentials service"},
	{netip.MustParsePrefix("fd00:ec2::/32"), "it is one of the cloud's own services"},
	{netip.MustParsePrefix("fd20:ce::254/128"), "it is the cloud's metadata service"}, // Google
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback is the proxy itself"},
	{netip.MustParsePrefix("::1/128"), "loopback is the proxy itself"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local addresses belong to the proxy's node"},
	{netip.MustParsePrefix("fe80::/10"), "link-local addresses belong to the proxy's node"},
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified addresses are the proxy itself"},
	{netip.MustParsePrefix("::/128"), "unspecified addresses are the proxy itself"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast addresses are no pod's"},
	{netip.MustParsePrefix("ff00::/8"), "multicast addresses are no pod's"},
	{netip.MustParsePrefix("255.255.255.255/32"), "the broadcast address is no pod's"},
	{netip.MustParsePrefix("64:ff9b::/96"), standsForIPv4},    // NAT64 (RFC 6052)
	{netip.MustParsePrefix("64:ff9b:1::/48"), standsForIPv4},  // NAT64 of one's own (RFC 8215)
	{netip.MustParsePrefix("2002::/16"), standsForIPv4},       // 6to4 (RFC 3056)
	{netip.MustParsePrefix("2001::/32"), standsForIPv4},       // Teredo (RFC 4380)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), standsForIPv4}, // translated (RFC 2765)
	{netip.MustParsePrefix("::/96"), standsForIPv4},           // compatible (RFC 4291)
}

const standsForIPv4 = "it stands for an IPv4 address, which could be any of the above"

// parseEndpoint returns the address of an endpoint if a proxy may connect to
// it. An IPv4 address written as IPv6 is judged, and used, as what it is.
func parseEndpoint(s, addressType string, allowed []netip.Prefix) (netip.Addr, error) {
	if addressType == "FQDN" {
		return netip.Addr{}, fmt.Errorf("the slice has addressType FQDN, and a name could point a tenant at anything")
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("it is not an IP address")
	}
	addr = addr.Unmap()
	return addr, refusal(addr, allowed)
}

// refusal is why no endpoint may have an address, nil if one may.
func refusal(addr netip.Addr, allowed []netip.Prefix) error {
	for _, p := range allowed {
		if p.Contains(addr) {
			return nil
		}
	}
	for _, r := range refusedRanges {
		if r.prefix.Contains(addr) {
			return fmt.Errorf("%s (%s)", r.why, r.prefix)
		}
	}
	if v4, ok := tunnelled(addr); ok {
		if err := refusal(v4, allowed); err != nil {
			return fmt.Errorf("it stands for %v: %w", v4, err)
		}
	}
	return nil
}

// tunnelled returns the IPv4 address that an ISATAP address ends with (RFC 5214):
// it may have any prefix.
func tunnelled(addr netip.Addr) (netip.Addr, bool) {
	b := addr.As16()
	if addr.Is4() || b[8]&^2 != 0 || b[9] != 0 || b[10] != 0x5e || b[11] != 0xfe {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte(b[12:])), true
}

// refusedEndpoints describes the first refused endpoint of a Service, how many
// more there are, and what to do; empty when there is none. Readiness plays no part,
// so that a pod which comes and goes writes no status.
func (s *Service) refusedEndpoints(allowed []netip.Prefix) string {
	var first string
	more := -1
	for _, slice := range s.slices {
		for _, e := range slice.Endpoints {
			_, err := parseEndpoint(e.Address, slice.AddressType, allowed)
			if err == nil {
				continue
			}
			if more++; more == 0 {
				first = fmt.Sprintf("EndpointSlice %s: endpoints: address %s is not used, because %v", spec.ShowKey(slice.Key), text.Quote(e.Address), err)
			}
		}
	}
	if more < 0 {
		return ""
	}
	if more > 0 {
		first += fmt.Sprintf(", nor are %d more", more)
	}
	return first + ": take it out of the slice (the Service's other endpoints are served)"
}
