package bootstrap

import (
	"path"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"my-company.com/staticsite-operator/translate/envoy"
)

// TLS says by which files a proxy and our server know each other. They are
// the proxy's, and may be replaced while it runs.
//
// The secrets are files of their own beside the bootstrap ([TLS.Client],
// [TLS.CA]), each with a watched directory: this is the form in which Envoy
// (1.40) takes renewed files. Certificates in the bootstrap itself, with or without a
// watched directory, are never read again, and Envoy does not say so.
type TLS struct {
	Dir        string // with the proxy's tls.crt and tls.key, mounted whole
	CAFile     string // the CAs of our server, in a folder that is mounted whole
	ServerName string // in our server's certificate: a DNS name or a URI
	ConfigDir  string // where the proxy finds the two files below
}

// The files beside the bootstrap.
const (
	ClientFile = "client.yaml"
	CAFile     = "ca.yaml"
)

// transportSocket renders how a proxy connects to our server.
func (t *TLS) transportSocket() *corev3.TransportSocket {
	if t == nil {
		return nil
	}
	from := func(file string) *corev3.ConfigSource {
		return &corev3.ConfigSource{
			ResourceApiVersion: corev3.ApiVersion_V3,
			ConfigSourceSpecifier: &corev3.ConfigSource_PathConfigSource{
				PathConfigSource: &corev3.PathConfigSource{Path: path.Join(t.ConfigDir, file)},
			},
		}
	}
	context := &tlsv3.UpstreamTlsContext{CommonTlsContext: &tlsv3.CommonTlsContext{
		TlsParams:                      &tlsv3.TlsParameters{TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_3, TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3},
		AlpnProtocols:                  []string{"h2"},
		TlsCertificateSdsSecretConfigs: []*tlsv3.SdsSecretConfig{{Name: "client", SdsConfig: from(ClientFile)}},
		ValidationContextType: &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
			ValidationContextSdsSecretConfig: &tlsv3.SdsSecretConfig{Name: "ca", SdsConfig: from(CAFile)},
		},
	}}
	if !isURI(t.ServerName) {
		context.Sni = t.ServerName
	}
	return &corev3.TransportSocket{
		Name:       "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: envoy.Pack(context)},
	}
}

// Client renders ClientFile: what the proxy shows.
func (t *TLS) Client() *discoveryv3.DiscoveryResponse {
	return secret(&tlsv3.Secret{Name: "client", Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
		CertificateChain: inFile(path.Join(t.Dir, "tls.crt")),
		PrivateKey:       inFile(path.Join(t.Dir, "tls.key")),
		WatchedDirectory: &corev3.WatchedDirectory{Path: t.Dir},
	}}})
}

// CA renders CAFile: whom the proxy believes.
func (t *TLS) CA() *discoveryv3.DiscoveryResponse {
	kind := tlsv3.SubjectAltNameMatcher_DNS
	if isURI(t.ServerName) {
		kind = tlsv3.SubjectAltNameMatcher_URI
	}
	return secret(&tlsv3.Secret{Name: "ca", Type: &tlsv3.Secret_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
		TrustedCa:        inFile(t.CAFile),
		WatchedDirectory: &corev3.WatchedDirectory{Path: path.Dir(t.CAFile)},
		MatchTypedSubjectAltNames: []*tlsv3.SubjectAltNameMatcher{{
			SanType: kind,
			Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: t.ServerName}},
		}},
	}}})
}

// secret is a file with one secret: two in one, Envoy does not survive.
func secret(s *tlsv3.Secret) *discoveryv3.DiscoveryResponse {
	return &discoveryv3.DiscoveryResponse{Resources: []*anypb.Any{envoy.Pack(s)}}
}

func inFile(name string) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: name}}
}

func isURI(name string) bool { return strings.Contains(name, "://") }
