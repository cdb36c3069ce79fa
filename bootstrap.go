package main

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/spf13/cobra"

	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/envoy/bootstrap"
)

func bootstrapCommand() *cobra.Command {
	var o bootstrap.Options
	var locked bootstrapTLSFlags
	var address, protocol string
	var adminPort uint16
	var resolvers []string
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Print the bootstrap of an Envoy that this server configures",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.XDSHost, o.XDSPort, err = hostPort(address); err != nil {
				return fmt.Errorf("--xds-address=%s: %w", address, err)
			}
			if err := oneOf("--protocol", protocol, string(bootstrap.ProtocolDelta), string(bootstrap.ProtocolSotw)); err != nil {
				return err
			}
			for _, s := range resolvers {
				r, err := netip.ParseAddrPort(s)
				if err != nil {
					return fmt.Errorf("--dns-resolver=%s: write an address and a port, such as 10.96.0.10:53", s)
				}
				o.DNSResolvers = append(o.DNSResolvers, r)
			}
			o.Protocol, o.AdminPort = bootstrap.Protocol(protocol), uint32(adminPort)
			if o.TLS, err = locked.check(o.XDSHost); err != nil {
				return err
			}
			if o.TLS != nil {
				return locked.write(o)
			}
			text, err := envoy.YAML(bootstrap.Render(o))
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "xds-address", "staticsite-operator-xds-svc.operators.svc.cluster.local:9000", "where proxies find this server, host:port")
	f.StringVar(&protocol, "protocol", string(bootstrap.ProtocolDelta), "delta, or sotw (state of the world, the first design's)")
	f.StringVar(&o.NodeID, "node-id", "", "the proxy's id; empty: give envoy --service-node")
	f.StringVar(&o.NodeCluster, "node-cluster", "ssg-gateway-cluster", "the proxy's cluster")
	f.StringVar(&o.Region, "region", "", "where the proxy runs")
	f.StringVar(&o.Zone, "zone", "", "where in the region the proxy runs")
	f.Uint16Var(&adminPort, "admin-port", 9901, "port of the admin interface, on loopback; 0: none")
	f.Uint32Var(&o.MaxConnections, "max-connections", 50_000, "connections from clients that one proxy accepts; 0: no limit")
	f.StringSliceVar(&resolvers, "dns-resolver", nil, "a DNS server to ask instead of the machine's own, address:port; repeatable")
	locked.add(f)
	return cmd
}

func hostPort(s string) (string, uint32, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", 0, fmt.Errorf("write host:port, such as xds.example.com:9000")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || host == "" {
		return "", 0, fmt.Errorf("write host:port, such as xds.example.com:9000")
	}
	return host, uint32(n), nil
}
