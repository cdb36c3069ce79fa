package listener

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"my-company.com/staticsite-operator/translate/envoy"
)

// localReplies shapes the answers that come from the proxy and not from a
// backend. A mapper goes by response flags, so an answer that a site's
// own routes give stays as it is.
func localReplies() *hcmv3.LocalReplyConfig {
	return &hcmv3.LocalReplyConfig{Mappers: []*hcmv3.ResponseMapper{
		{
			Filter:             flags("NR"),
			BodyFormatOverride: envoy.HTML(envoy.NotFoundPage),
			HeadersToAdd:       envoy.Uncached(),
		},
		{
			// No endpoints or cluster; connecting, a reset, or the protocol failed; too
			// many connections or retries.
			Filter:             flags("UH", "NC", "UF", "UR", "UC", "UPE", "UO", "URX", "UT"),
			BodyFormatOverride: envoy.HTML(envoy.UnavailablePage),
			HeadersToAdd:       envoy.Uncached(),
		},
	}}
}

func flags(flags ...string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ResponseFlagFilter{
		ResponseFlagFilter: &accesslogv3.ResponseFlagFilter{Flags: flags},
	}}
}
