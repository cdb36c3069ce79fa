package load

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// What Envoy 1.40 allows a server to send without a word from it.
const (
	streamWindow     = 16 << 20
	connectionWindow = 24 << 20
)

const (
	streamID     = 1
	maxFrame     = 16 << 10 // what every peer must take
	headerSize   = 9
	firstWindow  = 64<<10 - 1
	settingBytes = 6
)

// connection is one HTTP/2 connection with one stream. One goroutine uses it.
type connection struct {
	net    net.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	frames *http2.Framer // writes to out

	queue    [][]byte // what the server has not yet allowed us to send
	mayConn  int      // what it has
	mayThis  int
	initial  int // what a new stream may
	received int // since the last window update
}

// open connects and opens the stream.
func open(address, path string) (*connection, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &connection{
		net: conn, in: bufio.NewReaderSize(conn, 64<<10), out: bufio.NewWriterSize(conn, 4<<10),
		mayConn: firstWindow, mayThis: firstWindow, initial: firstWindow,
	}
	c.frames = http2.NewFramer(c.out, nil)
	var headers bytes.Buffer
	encoder := hpack.NewEncoder(&headers)
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", address},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}) //nolint:errcheck // to memory
	}
	_, err = c.out.WriteString(http2.ClientPreface)
	err = errors.Join(err,
		c.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow}),
		c.frames.WriteWindowUpdate(0, connectionWindow-firstWindow),
		c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: streamID, BlockFragment: headers.Bytes(), EndHeaders: true}),
		c.out.Flush())
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// send queues pieces of the stream, which must not be modified any more.
func (c *connection) send(pieces ...[]byte) error {
	c.queue = append(c.queue, pieces...)
	return c.flush()
}

// flush sends what may be sent.
func (c *connection) flush() error {
	for len(c.queue) > 0 && len(c.queue[0]) == 0 {
		c.queue = c.queue[1:]
	}
	for len(c.queue) > 0 {
		n := min(len(c.queue[0]), maxFrame, c.mayConn, c.mayThis)
		if n <= 0 {
			break
		}
		if err := c.frames.WriteData(streamID, false, c.queue[0][:n]); err != nil {
			return err
		}
		c.mayConn -= n
		c.mayThis -= n
		c.queue[0] = c.queue[0][n:]
		for len(c.queue) > 0 && len(c.queue[0]) == 0 {
			c.queue = c.queue[1:]
		}
	}
	return c.out.Flush()
}

// read hands the stream's bytes to data, and returns when the stream ends or data
// fails: always an error.
func (c *connection) read(data func([]byte) error) error {
	for {
		head, err := c.in.Peek(headerSize)
		if err != nil {
			return err
		}
		size := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
		kind, flags := http2.FrameType(head[3]), http2.Flags(head[4])
		stream := binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1)
		c.in.Discard(headerSize) //nolint:errcheck // they were peeked
		if kind == http2.FrameData {
			if err := c.data(size, data); err != nil {
				return err
			}
			if flags.Has(http2.FlagDataEndStream) {
				return io.EOF
			}
			continue
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(c.in, payload); err != nil {
			return err
		}
		if err := c.control(kind, flags, stream, payload); err != nil {
			return err
		}
	}
}

func (c *connection) data(size int, data func([]byte) error) error {
	for left := size; left > 0; {
		if _, err := c.in.Peek(1); err != nil {
			return err
		}
		b, err := c.in.Peek(min(left, c.in.Buffered()))
		if err != nil {
			return err
		}
		if err := data(b); err != nil {
			return err
		}
		c.in.Discard(len(b)) //nolint:errcheck // they were peeked
		left -= len(b)
	}
	c.received += size
	if c.received < streamWindow/4 {
		return nil
	}
	n := uint32(c.received)
	c.received = 0
	return errors.Join(c.frames.WriteWindowUpdate(0, n), c.frames.WriteWindowUpdate(streamID, n), c.out.Flush())
}

// control takes a frame that carries none of the stream's bytes.
func (c *connection) control(kind http2.FrameType, flags http2.Flags, stream uint32, payload []byte) error {
	switch {
	case kind == http2.FrameSettings && !flags.Has(http2.FlagSettingsAck):
		for ; len(payload) >= settingBytes; payload = payload[settingBytes:] {
			if http2.SettingID(binary.BigEndian.Uint16(payload)) == http2.SettingInitialWindowSize {
				window := int(binary.BigEndian.Uint32(payload[2:]))
				c.mayThis += window - c.initial
				c.initial = window
			}
		}
		return errors.Join(c.frames.WriteSettingsAck(), c.flush())
	case kind == http2.FramePing && !flags.Has(http2.FlagPingAck):
		return errors.Join(c.frames.WritePing(true, [8]byte(payload)), c.out.Flush())
	case kind == http2.FrameWindowUpdate:
		n := int(binary.BigEndian.Uint32(payload))
		if stream == 0 {
			c.mayConn += n
		} else {
			c.mayThis += n
		}
		return c.flush()
	case kind == http2.FrameHeaders && flags.Has(http2.FlagHeadersEndStream):
		return fmt.Errorf("the server ended the stream: %s", trailers(payload))
	case kind == http2.FrameRSTStream, kind == http2.FrameGoAway:
		return fmt.Errorf("the server ended the stream: %s", kind)
	}
	return nil
}

// trailers shows what the server said last. What refers to earlier headers is
// not known here, and left out.
func trailers(block []byte) string {
	var text []byte
	decoder := hpack.NewDecoder(4<<10, func(f hpack.HeaderField) { text = fmt.Appendf(text, "%s=%q ", f.Name, f.Value) })
	if _, err := decoder.Write(block); err != nil {
		text = append(text, err.Error()...)
	}
	return string(text)
}
