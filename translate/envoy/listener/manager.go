package listener

import (
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"my-company.com/staticsite-operator/translate/envoy"
)

// What a client may cost before it is shown the door. Nothing bounds the whole
// of a download, of an upload, or of a WebSocket's life; what stands still is ended.
// What a reader may hold up is in the room above: BufferBytes, StreamWindow.
const (
	headersTimeout    = 10 * time.Second // to send the headers of a request
	streamIdleTimeout = 60 * time.Second // without a byte in either direction
	connectionIdle    = 5 * time.Minute  // between requests; above what load balancers keep, so that it is they who close

	maxHeaders       = 100     // a request
	maxHeadersKB     = 60      // a request; single sign-on fills cookies
	maxStreams       = 100     // a connection (HTTP/2)
	connectionWindow = 1 << 20 // the same, for all streams of a connection
)

// connectionManager renders what every request passes before its site is known.
func connectionManager(opts envoy.Options) *hcmv3.HttpConnectionManager {
	m := &hcmv3.HttpConnectionManager{
		CodecType:  hcmv3.HttpConnectionManager_AUTO, // HTTP/1.1, or HTTP/2 by prior knowledge
		StatPrefix: "edge",
		HttpFilters: []*hcmv3.HttpFilter{
			endLoops(),
			properHosts(),
			hideProxies(),
			retrySafeMethods(),
			{
				Name: "envoy.filters.http.router",
				ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: envoy.Pack(&routerv3.Router{
					SuppressEnvoyHeaders: true, // Readers need not know what is between them and the site.
				})},
			},
		},

		// a.example.com.:8080 goes to the site a.example.com as a.example.com:8080,
		// since backends make links of it. Case and odd ports are the filters' matter.
		StripTrailingHostDot: true,

		// /a/../b is /b to everybody. Slashes stay as they are, doubled or encoded:
		// /entry/Proto://Type is a page's address.
		NormalizePath:                wrapperspb.Bool(true),
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_KEEP_UNCHANGED,

		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{forward(opts)},
		SchemeHeaderTransformation:    scheme(opts),

		// Anything else than a WebSocket that a client offers to go over to is passed
		// over in silence (RFC 9110 section 7.8).
		UpgradeConfigs: []*hcmv3.HttpConnectionManager_UpgradeConfig{{UpgradeType: "websocket"}},

		// The address of a client is the one that the connection comes from, or
		// what that many proxies in front of us say.
		UseRemoteAddress:  wrapperspb.Bool(true),
		XffNumTrustedHops: opts.TrustedHops,

		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			IdleTimeout:     durationpb.New(connectionIdle),
			MaxHeadersCount: wrapperspb.UInt32(maxHeaders),
			// Backends that turn hyphens into underscores cannot tell x_forwarded_for
			// from the real one. Dropped and not refused, as nginx does.
			HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_DROP_HEADER,
		},
		HttpProtocolOptions: &corev3.Http1ProtocolOptions{
			AcceptHttp_10:         true, // some health checks still speak it
			DefaultHostForHttp_10: NoHost,
			IgnoreHttp_11Upgrade:  []*matcherv3.StringMatcher{wholly("(?i)" + allBut("websocket"))},
		},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        wrapperspb.UInt32(maxStreams),
			InitialStreamWindowSize:     wrapperspb.UInt32(envoy.StreamWindow),
			InitialConnectionWindowSize: wrapperspb.UInt32(connectionWindow),
		},
		MaxRequestHeadersKb:   wrapperspb.UInt32(maxHeadersKB),
		RequestHeadersTimeout: durationpb.New(headersTimeout),
		StreamIdleTimeout:     durationpb.New(streamIdleTimeout),

		ServerHeaderTransformation: hcmv3.HttpConnectionManager_PASS_THROUGH, // the backend's own, or none
		LocalReplyConfig:           localReplies(),
		AccessLog:                  accessLog(),
	}
	if opts.MergeSlashes {
		m.MergeSlashes = true
		m.PathWithEscapedSlashesAction = hcmv3.HttpConnectionManager_UNESCAPE_AND_REDIRECT
	}
	if opts.Routes == envoy.RoutesSingle {
		m.RouteSpecifier = &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{ConfigSource: envoy.AwaitedOverADS(), RouteConfigName: envoy.TableName}}
	} else {
		m.RouteSpecifier = &hcmv3.HttpConnectionManager_ScopedRoutes{ScopedRoutes: scopedByHost()}
	}
	return m
}

// scopedByHost finds a request's routes by its host without the port, byte for byte. Every
// connection manager must have exactly this message: Envoy opens a subscription
// of its own for any other, and that one starves (docs/decisions.md,
// "Equal scoped_routes in every listener").
func scopedByHost() *hcmv3.ScopedRoutes {
	return &hcmv3.ScopedRoutes{
		Name: "sites",
		ScopeKeyBuilder: &hcmv3.ScopedRoutes_ScopeKeyBuilder{
			Fragments: []*hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder{{
				Type: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_{
					HeaderValueExtractor: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor{
						Name:             ":authority",
						ElementSeparator: ":",
						ExtractType: &hcmv3.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_Index{
							Index: 0,
						},
					},
				},
			}},
		},
		RdsConfigSource: envoy.OverADS(), // Asked for by name only; all our routes are inlined.
		ConfigSpecifier: &hcmv3.ScopedRoutes_ScopedRds{
			ScopedRds: &hcmv3.ScopedRds{ScopedRdsConfigSource: envoy.AwaitedOverADS()},
		},
	}
}
