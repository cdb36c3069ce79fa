package listener

import (
	"net/netip"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"my-company.com/staticsite-operator/translate/envoy"
)

// Render renders the one listener. It depends on the operator's options and
// on no site, so it never changes while proxies run: a changed listener would
// drain every connection.
func Render(opts envoy.Options) *listenerv3.Listener {
	return &listenerv3.Listener{
		Name:    envoy.ListenerName,
		Address: listenerAddress(opts),
		FilterChains: []*listenerv3.FilterChain{{
			Filters: []*listenerv3.Filter{{
				Name:       "envoy.filters.network.http_connection_manager",
				ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: envoy.Pack(connectionManager(opts))},
			}},
		}},
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(envoy.BufferBytes),
	}
}

// listenerAddress renders where a proxy serves. On :: it serves IPv4 as well, and
// IPv4 alone where IPv6 is switched off; only a kernel that does not know IPv6 at
// all refuses that address.
func listenerAddress(opts envoy.Options) *corev3.Address {
	address := envoy.SocketAddress(opts.HTTPAddress.String(), opts.HTTPPort)
	address.GetSocketAddress().Ipv4Compat = opts.HTTPAddress == netip.IPv6Unspecified()
	return address
}
