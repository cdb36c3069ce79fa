package envoy

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/durationpb"
)

// OverADS says that a resource comes over the stream that is already open.
func OverADS() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
	}
}

// AwaitedOverADS is OverADS without a time limit, for what a proxy is nothing
// without: one that opened its port before it had routes would answer 404 for
// everyone, and one without a listener must not say that it is ready.
func AwaitedOverADS() *corev3.ConfigSource {
	source := OverADS()
	source.InitialFetchTimeout = durationpb.New(0)
	return source
}
