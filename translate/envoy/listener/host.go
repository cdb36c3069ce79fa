package listener

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// NoHost is the host of requests that have none, as HTTP/1.0 permits. It must be one
// that no site can have: whoever had it would answer the health checks of load
// balancers.
const NoHost = "-"

// Hosts that are not answered as they are: with upper case, since names are equal
// whatever their case and scopes are not; and with a port that is no number, since
// a site is found by what stands before the colon, and its backend makes links of
// the whole (docs.example.com:x@evil.example leads elsewhere). What begins with [ is
// an IPv6 address, and no site.
const (
	upperCaseHost = `[A-Za-z0-9.-]*[A-Z][A-Za-z0-9.-]*(?::[0-9]*)?`
	badPortHost   = `[^:\[][^:]*:(?:.*[^0-9].*|[0-9]{6,})`
)

// toProperHost answers with the same URL in lower case. It must not change the
// host and go on: which of the filters take part that are off by default is
// decided before any of them runs, so a request that finds its site only later
// would walk past its access rules (docs/decisions.md, "Upper case is
// redirected, never rewritten").
//
// The scheme is what backends are told, and nothing else than these two: the URL is
// followed by whoever meets it.
const toProperHost = `function envoy_on_request(request)
  local headers = request:headers()
  local host = headers:get(":authority")
  if not string.match(host, "^[%w.-]+:?%d?%d?%d?%d?%d?$") then
    request:respond({[":status"] = "400"}, "")
    return
  end
  local scheme = headers:get("x-forwarded-proto") == "https" and "https" or "http"
  local url = scheme .. "://" .. string.lower(host) .. headers:get(":path")
  request:respond({[":status"] = "308", ["location"] = url}, "")
end
`

// properHosts renders a filter that answers requests for other hosts itself.
// Ordinary requests never start Lua.
func properHosts() *hcmv3.HttpFilter {
	return onlyWhen(":authority", upperCaseHost+"|"+badPortHost, "proper_hosts", &luav3.Lua{
		DefaultSourceCode: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: toProperHost}},
	})
}
