package envoy

// ProxyHeaders is how the names of headers begin that Envoy and we ourselves use, in
// lower case: the sidecar of a backend would take a client's for ours.
var ProxyHeaders = []string{"x-envoy-", "x-edge-"}
