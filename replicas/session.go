package replicas

import (
	"context"
	"errors"
	"net"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"

	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/replicas/replicasv1"
)

const (
	// connectTimeout is how long a connection may take to be made, and then to be
	// accepted: a process that is stopped does the one and not the other.
	connectTimeout = 5 * time.Second

	// A replica that says nothing is asked after pingTime whether it is there, and
	// has pingTimeout to answer. Shorter times grpc does not allow.
	pingTime, pingTimeout = 10 * time.Second, 3 * time.Second
)

// How long to wait before another attempt, at first and at most.
const (
	retryLeast = 100 * time.Millisecond
	retryMost  = 2 * time.Second
)

// leftTime is how long a replica that said that it ends is taken at its word, if
// nothing is reached at its address. By then it is no endpoint any more, or another
// process is there.
const leftTime = 30 * time.Second

// session is the way to one address, until ctx ends. One goroutine runs it.
type session struct {
	*Client
	address string
	state   holdings.ReplicaState // as the loop knows it
	told    bool                  // it does

	reached bool      // the last attempt made a connection
	left    time.Time // when the replica said that it ends; zero: it did not, or was heard since
}

// run asks again and again.
//
// That a connection is refused, reset or not answered says nothing of the replica's
// proxies: a firewall may do so, or a process that has just died and whose proxies have
// not noticed yet. Only the replica itself says that it ends, or its Service that it
// is no endpoint any more, which ends the session.
func (s *session) run(ctx context.Context) {
	pause := retryLeast
	for ctx.Err() == nil {
		err := s.watch(ctx)
		if s.state == holdings.Heard {
			pause = retryLeast
		}
		state := holdings.Silent
		if !s.reached && time.Since(s.left) < leftTime {
			state = holdings.Vacant
		}
		s.tell(ctx, holdings.Report{Replica: s.address, State: state}, err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, retryMost)
	}
}

// watch makes one connection and gives the loop all that comes by it. While the
// loop is busy nothing is read, and the other replica sends less.
func (s *session) watch(ctx context.Context) error {
	dialer := net.Dialer{Timeout: connectTimeout}
	tcp, err := dialer.DialContext(ctx, "tcp", s.address)
	if s.reached = err == nil; err != nil {
		return err
	}
	defer tcp.Close()
	shake := handshake{s.creds, make(chan error, 1)}
	err = s.hear(ctx, tcp, shake)
	select {
	case failed := <-shake.failed:
		return failed
	default:
		return err
	}
}

// hear gives the loop all that comes by a connection.
func (s *session) hear(ctx context.Context, tcp net.Conn, creds credentials.TransportCredentials) error {
	conn, err := grpc.NewClient("passthrough:///"+s.address,
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(once(tcp)),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: connectTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingTime, Timeout: pingTimeout}))
	if err != nil {
		return err
	}
	defer conn.Close()
	stream, err := replicasv1.NewReplicasClient(conn).Watch(ctx, &replicasv1.WatchRequest{})
	if err != nil {
		return err
	}
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if ID(response.Id) == s.id {
			s.tell(ctx, holdings.Report{Replica: s.address, State: holdings.Self}, nil)
			<-ctx.Done() // What we hold is known.
			return ctx.Err()
		}
		if response.Leaving {
			s.left, s.reached = time.Now(), false
			return errLeft
		}
		s.left = time.Time{}
		s.tell(ctx, decode(s.address, response), nil)
	}
}

var errLeft = errors.New("it said that it ends")

// handshake keeps why the handshake failed. gRPC says so only until its next attempt,
// which finds no connection.
type handshake struct {
	credentials.TransportCredentials
	failed chan error // holds one
}

func (h handshake) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := h.TransportCredentials.ClientHandshake(ctx, authority, raw)
	if err != nil {
		select {
		case h.failed <- err:
		default:
		}
	}
	return conn, info, err
}

// once returns a dialer that hands out one connection, so that it is the caller
// who sees how each attempt to make one ends.
func once(conn net.Conn) func(context.Context, string) (net.Conn, error) {
	used := false // grpc makes one attempt at a time
	return func(context.Context, string) (net.Conn, error) {
		if used {
			return nil, errors.New("the connection was lost")
		}
		used = true
		return conn, nil
	}
}

// tell gives the loop a report, and people what is new about the replica.
func (s *session) tell(ctx context.Context, report holdings.Report, err error) {
	if s.loop.Hear(ctx, report) != nil || s.told && report.State == s.state {
		return
	}
	s.state, s.told = report.State, true
	log := s.log.With(zap.String("replica", s.address))
	switch report.State {
	case holdings.Silent:
		log.Warn("cannot reach a replica, and what its proxies hold is not known: no site becomes programmed until it answers or is no endpoint any more", zap.Error(err))
	case holdings.Vacant:
		log.Info("a replica has ended")
	case holdings.Heard:
		log.Info("a replica tells what its proxies hold", zap.Int("proxies", report.Proxies), zap.Int("sites", len(report.Sites)))
	case holdings.Self:
		log.Debug("this replica has found itself among the others")
	}
}
