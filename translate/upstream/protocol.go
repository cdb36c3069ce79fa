package upstream

import (
	"strings"

	"my-company.com/staticsite-operator/object"
)

// speaksHTTP2 are the values of appProtocol that mean HTTP/2 without TLS, by
// prior knowledge: the standard one (KEP-3726), and what Istio and others have
// always called it.
var speaksHTTP2 = map[string]bool{
	"kubernetes.io/h2c": true,
	"h2c":               true,
	"http2":             true,
	"grpc":              true,
}

// notSpoken are the values of appProtocol that mean what no proxy can speak to a
// backend, and why. Case does not matter: GKE writes HTTPS.
//
// TLS is among them because a site has no field for the authority that signs the
// backend's certificate, nor for the name in it, and a certificate that nobody
// checks protects nothing.
var notSpoken = func() map[string]string {
	all := make(map[string]string)
	for _, name := range []string{"https", "kubernetes.io/wss", "wss", "tls", "ssl", "grpcs"} {
		all[name] = "which is TLS, and a site cannot say how a backend's certificate is to be checked"
	}
	for _, name := range []string{"mongo", "mysql", "postgresql", "redis", "amqp", "ssh", "smtp", "ftp", "ldap"} {
		all[name] = "which is not HTTP"
	}
	return all
}()

// http2OfGKE is the one value that vendors disagree about: HTTP/2 over TLS at
// GKE, without TLS at Istio.
const http2OfGKE = "HTTP2"

// protocolOf returns what a proxy speaks to a port with that appProtocol, or why
// it cannot.
//
// The field is a hint "for protocols that they understand" (the API's words). So
// any other value, such as tcp, kubernetes.io/ws or a vendor's own, means what its
// absence does: HTTP/1.1, in which WebSockets begin too.
func protocolOf(appProtocol string) (http2 bool, refused string) {
	if appProtocol == http2OfGKE {
		return false, "which is HTTP/2 with TLS to some and without to others (kubernetes.io/h2c is without)"
	}
	return speaksHTTP2[strings.ToLower(appProtocol)], notSpoken[strings.ToLower(appProtocol)]
}

// appProtocols returns what slices say of the TCP ports of each name: the first
// that says anything, by the name of the slice. Nil if none does, as is usual.
func appProtocols(slices []*object.Slice) map[string]string {
	var said map[string]string
	for _, s := range slices {
		for _, p := range s.Ports {
			if p.AppProtocol == "" || said[p.Name] != "" || !usable(p) {
				continue
			}
			if said == nil {
				said = make(map[string]string)
			}
			said[p.Name] = p.AppProtocol
		}
	}
	return said
}
