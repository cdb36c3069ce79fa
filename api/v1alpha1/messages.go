package v1alpha1

import "fmt"

// Messages of Programmed: a status and whoever explains it use the same words. A
// proxy serves from the moment it has acknowledged its listener and the routes.
const (
	MessageProgrammed = "acknowledged by every serving proxy"
	MessageNoProxies  = "no serving proxy is connected"
	MessageNotSent    = "this generation is not sent to the proxies, because the site is not accepted"
)

// MessagePending says how many of the serving proxies have a site.
func MessagePending(acknowledged, serving int) string {
	return fmt.Sprintf("acknowledged by %d of %d serving proxies", acknowledged, serving)
}

// MessageRejected says how many of the serving proxies refuse a site, in the words
// of one. Gist says where these words are: they stand once in a status.
func MessageRejected(refused, serving int, words string) (message, gist string) {
	count := fmt.Sprintf("refused by %d of %d serving proxies, which keep what they had; ", refused, serving)
	return count + "Envoy says: " + words, count + "condition Programmed has Envoy's words"
}

// MessageNotServing says why of the connected proxies none serves: of one, with its
// own words if there are any. Gist is without them.
func MessageNotServing(why string) (message, gist string) {
	return "no proxy serves any site: " + why, "no proxy serves any site; condition Programmed says why"
}

// Messages of EndpointsReady.
const (
	MessageEndpointsReady    = "the Service has a ready endpoint"
	MessageNoEndpoints       = "the Service has no ready endpoint: readers get a 503 page until one of its pods is ready"
	MessageResolvedByProxies = "the proxies resolve the Service's name by DNS, and its endpoints are not looked at (--upstreams=dns)"
	MessageUnresolved        = "no endpoint is looked up before the Service is found (condition ResolvedRefs)"
	MessageNotLookedUp       = "no endpoint is looked up, because the site is not accepted"
)
