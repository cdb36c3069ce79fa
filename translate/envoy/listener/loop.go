package listener

import (
	"fmt"

	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"

	"my-company.com/staticsite-operator/translate/envoy"
)

// The endpoints of a site may be the edge itself, by mistake or not: one request
// then came back 1,028 times in a minute. Each pass is counted in CDN-Loop (RFC
// 8586), which is for exactly that. Via would tell as much, but nginx does not
// compress what it is asked for with a Via.
const (
	// ourPass is what each pass appends. It is short: Envoy limits the size of
	// regular expressions.
	ourPass = "ssg-edge"
	// maxPasses is how often a request may pass the edge. Twice has its uses: a pod
	// that fetches from another site with the headers that it was asked with.
	maxPasses = 4
)

func countPass() *mutationrulesv3.HeaderMutation {
	return appendHeader("cdn-loop", ourPass, corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD)
}

var loopDetected = `function envoy_on_request(request)
  request:respond({[":status"] = "508", ["content-type"] = "text/html; charset=utf-8", ["cache-control"] = "no-store"}, [[
` + envoy.UnavailablePage + `]])
end
`

// endLoops renders a filter that answers requests which have passed too often. It
// counts all edges as one: a loop may lead through several.
func endLoops() *hcmv3.HttpFilter {
	return onlyWhen("cdn-loop", fmt.Sprintf("(?:.*%s){%d}.*", ourPass, maxPasses+1), "end_loops", &luav3.Lua{
		DefaultSourceCode: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: loopDetected}},
	})
}
