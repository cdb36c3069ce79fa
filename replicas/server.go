package replicas

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/replicas/replicasv1"
)

// ID tells replicas apart, wherever they are reached. It is chosen at random.
type ID uint64

// A Viewer shows what the proxies of this replica hold: control.Loop does.
type Viewer interface {
	View(ctx context.Context) (*holdings.View, error)
}

// Server tells others what this replica's proxies hold.
type Server struct {
	replicasv1.UnimplementedReplicasServer

	loop  Viewer
	id    ID
	build string
}

// NewServer returns a server for a replica that is known by id and runs a build.
func NewServer(loop Viewer, id ID, build string) *Server {
	return &Server{loop: loop, id: id, build: build}
}

// Register adds the service.
func (s *Server) Register(r grpc.ServiceRegistrar) { replicasv1.RegisterReplicasServer(r, s) }

// Watch sends everything, and then what changes, until the client or the loop ends. Of
// the latter it tells: with it this replica's proxies are nobody's any more.
func (s *Server) Watch(_ *replicasv1.WatchRequest, stream grpc.ServerStreamingServer[replicasv1.WatchResponse]) error {
	view, err := s.loop.View(stream.Context())
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}
	for first := true; ; first = false {
		select {
		case <-view.Ready():
		case <-view.Ended():
			stream.Send(&replicasv1.WatchResponse{Leaving: true}) //nolint:errcheck // who does not hear it waits for us in vain for a while
			return status.Error(codes.Unavailable, "this replica is shutting down")
		case <-stream.Context().Done():
			return nil
		}
		responses := encode(view.Take())
		if first {
			responses[0].Id, responses[0].Build = uint64(s.id), s.build
		}
		for _, response := range responses {
			if err := stream.Send(response); err != nil {
				return err
			}
		}
	}
}
