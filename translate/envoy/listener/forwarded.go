package listener

import (
	"strconv"

	mutationrulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	headermutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"

	"my-company.com/staticsite-operator/translate/envoy"
)

// What backends are told of a request, beside what the client says of itself:
//
//	Host, X-Forwarded-Host   the host as the client wrote it, with its port
//	X-Forwarded-For          the addresses that it came from, ours appended
//	X-Forwarded-Proto        http, or what the operator or a trusted hop says
//	X-Forwarded-Port         what the operator or a trusted hop says, or nothing
//	X-Request-Id, X-Envoy-External-Address, CDN-Loop
//
// Backends believe such headers, so a client must not be able to write them.

// forgeable are headers that say where a request came from or what was asked for,
// which some backend or other believes. No trusted hop is believed in them either:
// load balancers hand on what a client wrote in those that they do not know.
var forgeable = []string{
	"forwarded", "x-forwarded", "x-original-forwarded-for",
	"x-real-ip", "client-ip", "x-client-ip", "x-cluster-client-ip",
	"x-host", "x-original-host", "x-original-url", "x-rewrite-url",
	"x-scheme", "x-url-scheme", "front-end-https",
	"proxy", // CGI makes HTTP_PROXY of it
}

// forward renders what is done to the headers of every request before anything
// looks at them.
func forward(opts envoy.Options) *corev3.TypedExtensionConfig {
	var mutations []*mutationrulesv3.HeaderMutation
	for _, prefix := range envoy.ProxyHeaders {
		mutations = append(mutations, removePrefixed(prefix))
	}
	for _, name := range forgeable {
		mutations = append(mutations, &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Remove{Remove: name}})
	}
	if opts.TrustedHops == 0 {
		// The connection manager sees to these two. With a hop in front that signs
		// people in, X-Forwarded-User and others are its own.
		mutations = append(mutations, removeMatching(wholly("x-forwarded-"+allBut("for", "proto"))))
	}
	mutations = append(mutations, setHeader("x-forwarded-host", "%REQ(:AUTHORITY)%"))
	if opts.PublicPort != 0 {
		mutations = append(mutations, setHeader("x-forwarded-port", strconv.Itoa(int(opts.PublicPort))))
	}
	mutations = append(mutations, countPass())
	return &corev3.TypedExtensionConfig{Name: "forward", TypedConfig: envoy.Pack(&earlyv3.HeaderMutation{Mutations: mutations})}
}

// scheme renders what scheme requests have, nil for what a trusted hop says. It is
// never the client's word: over HTTP/2 a client may write anything there.
func scheme(opts envoy.Options) *corev3.SchemeHeaderTransformation {
	s := string(opts.PublicScheme)
	if s == "" {
		if opts.TrustedHops > 0 {
			return nil
		}
		s = string(envoy.SchemeHTTP)
	}
	return &corev3.SchemeHeaderTransformation{Transformation: &corev3.SchemeHeaderTransformation_SchemeToOverwrite{SchemeToOverwrite: s}}
}

// hideProxies renders a filter that keeps to ourselves what a backend's own proxies
// say to us.
func hideProxies() *hcmv3.HttpFilter {
	var mutations []*mutationrulesv3.HeaderMutation
	for _, prefix := range envoy.ProxyHeaders {
		mutations = append(mutations, removePrefixed(prefix))
	}
	return &hcmv3.HttpFilter{
		Name: "hide_proxies",
		ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: envoy.Pack(&headermutationv3.HeaderMutation{Mutations: &headermutationv3.Mutations{
			ResponseMutations:         mutations,
			ResponseTrailersMutations: mutations,
		}})},
	}
}

func removePrefixed(prefix string) *mutationrulesv3.HeaderMutation {
	return removeMatching(&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: prefix}})
}

func removeMatching(m *matcherv3.StringMatcher) *mutationrulesv3.HeaderMutation {
	return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_RemoveOnMatch_{
		RemoveOnMatch: &mutationrulesv3.HeaderMutation_RemoveOnMatch{KeyMatcher: m},
	}}
}

func wholly(regex string) *matcherv3.StringMatcher {
	return &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: regex}}}
}

func setHeader(name, value string) *mutationrulesv3.HeaderMutation {
	return appendHeader(name, value, corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD)
}

func appendHeader(name, value string, action corev3.HeaderValueOption_HeaderAppendAction) *mutationrulesv3.HeaderMutation {
	return &mutationrulesv3.HeaderMutation{Action: &mutationrulesv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: name, Value: value},
		AppendAction: action,
	}}}
}
