package e2e

import (
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is a DNS server on loopback that knows the Services of a cluster.
type nameServer struct {
	conn net.PacketConn

	mu    sync.Mutex
	names map[string]netip.Addr // with the trailing dot
}

func startNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	s := &nameServer{conn: conn, names: make(map[string]netip.Addr)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.serve()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return s
}

func (s *nameServer) address() netip.AddrPort {
	return s.conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// add makes a Service resolve to an address.
func (s *nameServer) add(service, namespace, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names[service+"."+namespace+".svc.cluster.local."] = netip.MustParseAddr(address)
}

// serve answers until the socket is closed.
func (s *nameServer) serve() {
	query := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFrom(query)
		if err != nil {
			return
		}
		if reply, err := s.answer(query[:n]); err == nil {
			s.conn.WriteTo(reply, from)
		}
	}
}

func (s *nameServer) answer(query []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(query); err != nil {
		return nil, err
	}
	message.Response, message.Authoritative, message.Additionals = true, true, nil
	for _, question := range message.Questions {
		s.mu.Lock()
		address, known := s.names[question.Name.String()]
		s.mu.Unlock()
		switch {
		case !known:
			message.RCode = dnsmessage.RCodeNameError
		case question.Type == dnsmessage.TypeA:
			message.Answers = append(message.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &dnsmessage.AResource{A: address.As4()},
			})
		}
	}
	return message.Pack()
}
