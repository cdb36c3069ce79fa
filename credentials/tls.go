package credentials

import (
	"crypto/tls"
	"crypto/x509"

	"google.golang.org/grpc/credentials"
)

// Server returns what a gRPC server shows and demands. Who is Nobody gets no byte
// but TLS's own.
func (s *Store) Server() credentials.TransportCredentials {
	return transport{credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			m := s.current.Load()
			return &tls.Config{
				MinVersion:   tls.VersionTLS13,
				NextProtos:   []string{"h2"}, // gRPC adds it to the outer one only
				Certificates: []tls.Certificate{m.pair},
				Time:         s.clock,
				// TLS asks for a good certificate of any of our CAs, and so its alerts
				// say what is wrong with one. Who the peer is, the rules decide.
				ClientAuth:       tls.RequireAndVerifyClientCert,
				ClientCAs:        pool(m.proxies, m.replicas),
				VerifyConnection: s.verify(x509.ExtKeyUsageClientAuth),
				// Streams last for days: nothing is gained by resuming, and every
				// connection shows its certificate.
				SessionTicketsDisabled: true,
			}, nil
		},
	}), s}
}

// Client returns what this replica shows to others and demands of them. A replica is
// reached by its address, which no certificate has: so its name is what the rules
// say, whatever was dialled.
func (s *Store) Client() credentials.TransportCredentials {
	return transport{credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &s.current.Load().pair, nil
		},
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection:   s.verify(x509.ExtKeyUsageServerAuth),
	}), s}
}

// verify refuses who is Nobody.
func (s *Store) verify(usage x509.ExtKeyUsage) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		_, err := s.identify(state.PeerCertificates, usage)
		return err
	}
}
