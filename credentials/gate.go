package credentials

import (
	"context"
	"crypto/x509"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Access says which roles may call a method, by its full name such as
// "/grpc.health.v1.Health/Check". What is not in it nobody may call.
type Access map[string][]Role

// Options returns what a gRPC server needs to be locked: its side of TLS, and a gate
// before every method.
func (s *Store) Options(access Access) []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.Creds(s.Server()),
		grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if err := s.pass(ctx, access, info.FullMethod); err != nil {
				return nil, err
			}
			return handle(ctx, request)
		}),
		grpc.ChainStreamInterceptor(func(server any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if err := s.pass(stream.Context(), access, info.FullMethod); err != nil {
				return err
			}
			return handle(server, stream)
		}),
	}
}

// pass lets a peer call a method, or says why not. The peer is judged anew: since the
// connection was made its certificate may have ended.
func (s *Store) pass(ctx context.Context, access Access, method string) error {
	var certificates []*x509.Certificate
	if p, ok := peer.FromContext(ctx); ok {
		if info, ok := p.AuthInfo.(credentials.TLSInfo); ok {
			certificates = info.State.PeerCertificates
		}
	}
	identity, err := s.identify(certificates, x509.ExtKeyUsageClientAuth)
	if err != nil {
		return status.Error(codes.Unauthenticated, err.Error())
	}
	if !slices.Contains(access[method], identity.Role) {
		return status.Errorf(codes.PermissionDenied, "a %s may not call %s", identity.Role, method)
	}
	return nil
}
