package envoy

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// The pages that a proxy answers with by itself. They name neither the product
// nor the site, whose readers they meet.
var (
	NotFoundPage = page("Site not found",
		"There is no site at this address. Please check its spelling.")
	UnavailablePage = page("Site unavailable",
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

// unavailable renders the answer for a site of which no backend is known.
func unavailable() *routev3.DirectResponseAction {
	return &routev3.DirectResponseAction{Status: 503, BodyFormat: HTML(UnavailablePage)}
}

// HTML renders a page as the body of an answer.
func HTML(page string) *corev3.SubstitutionFormatString {
	return &corev3.SubstitutionFormatString{
		Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: &corev3.DataSource{
			Specifier: &corev3.DataSource_InlineString{InlineString: page},
		}},
		ContentType: "text/html; charset=utf-8",
	}
}

// Uncached renders the header that keeps caches from showing a page after the site
// is back.
func Uncached() []*corev3.HeaderValueOption {
	return []*corev3.HeaderValueOption{{
		Header:       &corev3.HeaderValue{Key: "cache-control", Value: "no-store"},
		AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}}
}
