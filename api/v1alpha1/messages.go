package v1alpha1

import "fmt"

// Messages of Programmed: a status and whoever explains it use the same words.
const (
	MessageProgrammed = "served by every connected proxy"
	MessageNoProxies  = "no proxy is connected"
	MessageNotSent    = "this generation is not sent to the proxies, because the site is not accepted"
)

// MessagePending says how many of the connected proxies have a site.
func MessagePending(acknowledged, connected int) string {
	return fmt.Sprintf("acknowledged by %d of %d connected proxies", acknowledged, connected)
}

// MessageRejected says how many of the connected proxies refuse a site, in the
// words of one.
func MessageRejected(refused, connected int, words string) string {
	return fmt.Sprintf("refused by %d of %d connected proxies, which keep what they had; Envoy says: %s", refused, connected, words)
}
