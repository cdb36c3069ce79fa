package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"my-company.com/staticsite-operator/translate"
)

// translateFlags are the flags that decide what sites are translated to; serve,
// translate and lint share them.
type translateFlags struct {
	routes, upstreams string
	httpAddress       string
	httpPort          uint16
	trustedHops       uint32
	publicScheme      string
	publicPort        uint16
	mergeSlashes      bool
	allowedEndpoints  []string
}

func (f *translateFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.routes, "routes", string(translate.RoutesScoped),
		"how routes are cut into resources: scoped (one per domain) or single (one for all, up to about 1,000 sites)")
	flags.StringVar(&f.upstreams, "upstreams", string(translate.UpstreamsEndpoints),
		"how proxies find pods: endpoints (from EndpointSlices) or dns (they resolve the Service's name)")
	flags.StringVar(&f.httpAddress, "http-address", "::",
		"the IP address on which every proxy serves the sites; :: is IPv6 and IPv4 (IPv4 alone where IPv6 is switched off), 0.0.0.0 is for kernels without IPv6")
	flags.Uint16Var(&f.httpPort, "http-port", 8080, "the port on which every proxy serves the sites")
	flags.Uint32Var(&f.trustedHops, "trusted-hops", 0,
		"how many proxies in front of ours are trusted to tell the client's address in X-Forwarded-For")
	flags.StringVar(&f.publicScheme, "public-scheme", "",
		"http or https: what backends are told in X-Forwarded-Proto, for TLS that ends at a load balancer which sends no such header; empty: what --trusted-hops say, or http")
	flags.Uint16Var(&f.publicPort, "public-port", 0,
		"what backends are told in X-Forwarded-Port; 0: what --trusted-hops say, or nothing (Host and X-Forwarded-Host have the port that the reader wrote)")
	flags.BoolVar(&f.mergeSlashes, "merge-slashes", false,
		"make // in a path / and redirect from encoded slashes to plain ones; by default backends get paths with the slashes as they came")
	flags.StringSliceVar(&f.allowedEndpoints, "allow-endpoint-cidr", nil,
		"a range of addresses to accept as endpoints although such addresses are refused by default (loopback, link-local, ...); repeatable")
}

// options checks the flags.
func (f *translateFlags) options() (translate.Options, error) {
	opts := translate.Options{
		Routes: translate.RouteLayout(f.routes), Upstreams: translate.Upstreams(f.upstreams),
		HTTPPort: uint32(f.httpPort), TrustedHops: f.trustedHops,
		PublicScheme: translate.Scheme(f.publicScheme), PublicPort: uint32(f.publicPort), MergeSlashes: f.mergeSlashes,
	}
	if err := oneOf("--routes", f.routes, string(translate.RoutesScoped), string(translate.RoutesSingle)); err != nil {
		return opts, err
	}
	if err := oneOf("--upstreams", f.upstreams, string(translate.UpstreamsEndpoints), string(translate.UpstreamsDNS)); err != nil {
		return opts, err
	}
	if f.httpPort == 0 {
		return opts, fmt.Errorf("--http-port=0: write a port from 1 to 65535")
	}
	if f.publicScheme != "" {
		if err := oneOf("--public-scheme", f.publicScheme, string(translate.SchemeHTTP), string(translate.SchemeHTTPS)); err != nil {
			return opts, err
		}
	}
	var err error
	if opts.HTTPAddress, err = netip.ParseAddr(f.httpAddress); err != nil || opts.HTTPAddress.Zone() != "" {
		return opts, fmt.Errorf("--http-address=%s: write an IP address: :: for IPv6 and IPv4, 0.0.0.0 for IPv4 alone", f.httpAddress)
	}
	for _, s := range f.allowedEndpoints {
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			return opts, fmt.Errorf("--allow-endpoint-cidr=%s: write a range such as 127.0.0.0/8", s)
		}
		opts.AllowedEndpoints = append(opts.AllowedEndpoints, prefix.Masked())
	}
	return opts, nil
}

func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return fmt.Errorf("%s=%s: write %s", flag, value, strings.Join(allowed, " or "))
}
