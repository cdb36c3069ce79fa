package proc

import (
	"fmt"
	"net"
	"strconv"
)

// FreeAddress returns host with a TCP port that nobody listens on now. Another
// program could take it before it is used; within a test's network namespace
// there is no other program.
func FreeAddress(host string) (string, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("find a free port on %s: %w", host, err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// FreePort is [FreeAddress] for who needs only the port.
func FreePort(host string) (int, error) {
	address, err := FreeAddress(host)
	if err != nil {
		return 0, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("find a free port on %s: %w", host, err)
	}
	return strconv.Atoi(port)
}
