package upstream

import "testing"

// Case does not matter, but for the one word that two vendors mean differently.
func TestProtocols(t *testing.T) {
	for said, want := range map[string]string{
		"": "http1", "http": "http1", "tcp": "http1", "kubernetes.io/ws": "http1", "example.com/own": "http1",
		"kubernetes.io/h2c": "http2", "h2c": "http2", "H2C": "http2", "kubernetes.io/H2C": "http2", "grpc": "http2", "GRPC": "http2", "http2": "http2", "Http2": "http2",
		"HTTP2": "refused", "https": "refused", "HTTPS": "refused", "kubernetes.io/wss": "refused", "redis": "refused",
	} {
		http2, refused := protocolOf(said)
		got := "http1"
		switch {
		case refused != "":
			got = "refused"
		case http2:
			got = "http2"
		}
		if got != want {
			t.Errorf("%q is %s (%s), want %s", said, got, refused, want)
		}
	}
}
