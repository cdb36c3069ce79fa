package translate

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// The pages that a proxy answers with by itself. They name neither the product
// nor the site, whose readers they meet.
var (
	notFoundPage = page("Site not found",
		"There is no site at this address. Please check its spelling.")
	unavailablePage = page("Site unavailable",
		"This site cannot be reached at the moment. Please try again later.")
)

// page renders a small HTML page. It is a format string of Envoy's, so its text
// has no percent sign.
func page(title, text string) string {
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>` + title + `</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;margin:20vh auto 0;max-width:30rem;padding:0 1rem;color-scheme:light dark}</style>
</head>
<body>
<h1>` + title + `</h1>
<p>` + text + `</p>
</body>
</html>
`
}

// localReplies shapes the answers that come from the proxy and not from a
// backend. Each is told by its response flag, so that what a site's own routes
// answer with stays as it is.
func localReplies() *hcmv3.LocalReplyConfig {
	return &hcmv3.LocalReplyConfig{Mappers: []*hcmv3.ResponseMapper{
		{
			Filter:             flags("NR"),
			BodyFormatOverride: html(notFoundPage),
			HeadersToAdd:       uncached(),
		},
		{
			// No endpoints or cluster; connecting, a reset, or the protocol failed; too
			// many connections or retries.
			Filter:             flags("UH", "NC", "UF", "UR", "UC", "UPE", "UO", "URX", "UT"),
			BodyFormatOverride: html(unavailablePage),
			HeadersToAdd:       uncached(),
		},
	}}
}

// unavailable renders the answer for a site of which no backend is known.
func unavailable() *routev3.DirectResponseAction {
	return &routev3.DirectResponseAction{Status: 503, BodyFormat: html(unavailablePage)}
}

func flags(flags ...string) *accesslogv3.AccessLogFilter {
	return &accesslogv3.AccessLogFilter{FilterSpecifier: &accesslogv3.AccessLogFilter_ResponseFlagFilter{
		ResponseFlagFilter: &accesslogv3.ResponseFlagFilter{Flags: flags},
	}}
}

func html(page string) *corev3.SubstitutionFormatString {
	return &corev3.SubstitutionFormatString{
		Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
			Specifier: &corev3.DataSource_InlineString{InlineString: page},
		}},
		ContentType: "text/html; charset=utf-8",
	}
}

// uncached keeps caches from showing a page after the site is back.
func uncached() []*corev3.HeaderValueOption {
	return []*corev3.HeaderValueOption{{
		Header:       &corev3.HeaderValue{Key: "cache-control", Value: "no-store"},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}}
}
