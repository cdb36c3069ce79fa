package link

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// echo is a server that sends each line back.
func echo(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func proxy(t *testing.T) *Proxy {
	p, err := Listen("127.0.0.1:0", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

type client struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *Proxy) *client {
	conn, err := net.DialTimeout("tcp", p.Addr(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	return &client{conn, bufio.NewReader(conn)}
}

func (c *client) say(t *testing.T, line string) {
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (c *client) hear(t *testing.T, want string) {
	t.Helper()
	got, err := c.lines.ReadString('\n')
	if err != nil || got != want+"\n" {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

func TestFrozenThenThawed(t *testing.T) {
	p := proxy(t)
	old := dial(t, p)
	old.say(t, "before")
	old.hear(t, "before")

	p.Freeze()
	old.say(t, "during")
	fresh := dial(t, p) // accepted, as by a network that hangs further on
	fresh.say(t, "also during")
	for _, c := range []*client{old, fresh} {
		// A time-out is what a hung network looks like; an end or an answer is not.
		c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if b, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("frozen, but read %d bytes, %v", b, err)
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
	}

	p.Thaw()
	old.hear(t, "during")
	fresh.hear(t, "also during")
}

func TestCutResetsAndServesAgain(t *testing.T) {
	p := proxy(t)
	c := dial(t, p)
	c.say(t, "before")
	c.hear(t, "before")
	p.Cut()
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read after the cut: %v, want a reset", err)
	}
	again := dial(t, p)
	again.say(t, "after")
	again.hear(t, "after")
}

func TestHalfCloseReachesTheServer(t *testing.T) {
	c := dial(t, proxy(t))
	c.say(t, "last words")
	c.Conn.(*net.TCPConn).CloseWrite()
	all, err := io.ReadAll(c)
	if err != nil || string(all) != "last words\n" {
		t.Fatalf("got %q, %v", all, err)
	}
}

func TestCloseWhileFrozen(t *testing.T) {
	p := proxy(t)
	c := dial(t, p)
	c.say(t, "before")
	c.hear(t, "before")
	p.Freeze()
	c.say(t, "during")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", p.Addr()); err == nil {
		t.Error("still accepts connections")
	}
}

func TestBreak(t *testing.T) {
	p := proxy(t)
	before := dial(t, p)
	p.Break()
	broken := func(err error) bool { return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF) }
	if _, err := before.Read(make([]byte, 1)); !broken(err) {
		t.Errorf("a connection through a broken link: %v", err)
	}
	meanwhile, err := net.Dial("tcp", p.Addr())
	if err == nil { // Else it is reset before it is made.
		defer meanwhile.Close()
		meanwhile.SetDeadline(time.Now().Add(10 * time.Second))
		_, err = meanwhile.Read(make([]byte, 1))
	}
	if !broken(err) {
		t.Errorf("a new connection through a broken link: %v", err)
	}
	p.Mend()
	after := dial(t, p)
	after.say(t, "again")
	if line, err := after.lines.ReadString('\n'); err != nil || line != "again\n" {
		t.Errorf("through a mended link: %q, %v", line, err)
	}
}
