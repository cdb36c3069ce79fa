package translate

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
)

// toLowerCase answers with the same URL in lower case. It must not change the
// host and go on: which of the filters take part that are off by default is
// decided before any of them runs, so a request that finds its site only later
// would walk past its access rules (design.md section 3).
//
// The port is gone from the host by now, so the URL is that of the scheme's
// own port.
const toLowerCase = `function envoy_on_request(request)
  local headers = request:headers()
  local url = headers:get(":scheme") .. "://" .. string.lower(headers:get(":authority")) .. headers:get(":path")
  request:respond({[":status"] = "308", ["location"] = url}, "")
end
`

// lowerCaseHosts renders a filter that sends hosts with upper case to lower
// case: names are equal whatever their case, scopes are not. Ordinary
// requests never start Lua.
func lowerCaseHosts() *hcmv3.HttpFilter {
	return onlyWhen(":authority", "[A-Za-z0-9.-]*[A-Z][A-Za-z0-9.-]*", "lower_case_hosts", &luav3.Lua{
		DefaultSourceCode: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: toLowerCase}},
	})
}
