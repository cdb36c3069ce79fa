package upstream

import (
	"net/netip"
	"strings"
	"testing"
)

// What is next to a refused range, or looks like a refused form, is a pod's.
func TestEndpointAddresses(t *testing.T) {
	own := []netip.Prefix{netip.MustParsePrefix("2002:a9fe::/32"), netip.MustParsePrefix("10.9.0.0/16")}
	for address, why := range map[string]string{
		"10.0.0.1": "", "100.100.100.199": "", "100.100.100.201": "", "168.63.129.15": "", "168.63.129.17": "", "192.0.1.1": "",
		"2001:db8::1": "", "2001:1::1": "", "2003::1": "", "64:ff9c::1": "", "64:ff9b:2::1": "", "fd00:ec3::1": "", "fd20:ce::253": "",
		"2001:db8::5efe:10.0.0.1":  "", // ISATAP of a pod
		"2001:db8::1:5efe:7f00:1":  "",
		"2001:db8:0:5efe::7f00:1":  "",
		"2001:db8::5eff:127.0.0.1": "",
		"2002:a9fe:a9fe::1":        "", // allowed
		"::ffff:10.0.0.1":          "",

		"2001:db8::5efe:127.0.0.1":           "it stands for 127.0.0.1: loopback is the proxy itself (127.0.0.0/8)",
		"2001:db8::200:5efe:100.100.100.200": "it stands for 100.100.100.200: it is the cloud's metadata service",
		"2002:a00:1::":                       "it stands for an IPv4 address",
		"::ffff:168.63.129.16":               "the cloud's service for machines (168.63.129.16/32)",
		"64:ff9b:1:ffff:ffff:ffff:ffff:ffff": "it stands for an IPv4 address",
	} {
		_, err := parseEndpoint(address, "", own)
		if (err == nil) != (why == "") || err != nil && !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", address, err, why)
		}
	}
}
