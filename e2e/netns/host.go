package netns

import (
	"fmt"
	"net"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// hosts is how many hosts there can be at a time.
const hosts = 63

// A Host is a namespace that is linked to the tests' own: for a program in it, and
// for those that talk to it, another machine. Two Envoys with one configuration
// listen on the same port; on hosts of their own they do not share it.
type Host struct {
	// Addr is its address, from the block 198.51.100.0/24 that RFC 5737 reserves.
	// From it, every address that [Addr] returns can be reached.
	Addr string
	// Gateway is the other end of its link: from there, as far as it can tell, come
	// those that talk to it.
	Gateway string

	handle netns.NsHandle
	bits   int  // of its link's prefix
	noIPv6 bool // as if the kernel knew none
}

// NewHost makes the n-th host, n from 1 to 63. Whoever owns it ends it, after the
// programs on it.
func NewHost(owner interface{ Cleanup(func()) }, n int) (*Host, error) {
	return newHost(owner, n, Host{Addr: fmt.Sprintf("198.51.100.%d", 4*n+2), Gateway: fmt.Sprintf("198.51.100.%d", 4*n+1), bits: 30})
}

// NewIPv6Host is NewHost with IPv6 only: no address of [Addr] can be reached, just
// its gateway. Its addresses are from the block 2001:db8::/32 that RFC 3849 reserves.
func NewIPv6Host(owner interface{ Cleanup(func()) }, n int) (*Host, error) {
	return newHost(owner, n, Host{Addr: fmt.Sprintf("2001:db8:0:%d::2", n), Gateway: fmt.Sprintf("2001:db8:0:%d::1", n), bits: 64})
}

func newHost(owner interface{ Cleanup(func()) }, n int, made Host) (*Host, error) {
	if n < 1 || n > hosts {
		panic(fmt.Sprintf("netns: there is no host %d; there are 1 to %d", n, hosts))
	}
	handle, err := newNamespace()
	if err != nil {
		return nil, fmt.Errorf("make host %d: %w", n, err)
	}
	host := &made
	host.handle = handle
	end := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: fmt.Sprintf("host%d", n)},
		PeerName:      "uplink",
		PeerNamespace: netlink.NsFd(handle),
	}
	owner.Cleanup(func() {
		netlink.LinkDel(end) //nolint:errcheck // it ends with the namespace, too
		handle.Close()
	})
	if err := host.link(end); err != nil {
		return nil, fmt.Errorf("link host %d: %w", n, err)
	}
	return host, nil
}

// Enter moves the thread of the caller, which must be locked to it, to the host.
// What it starts then runs there.
func (h *Host) Enter() error {
	if err := netns.Set(h.handle); err != nil || !h.noIPv6 {
		return err
	}
	return refuseIPv6Sockets()
}

// newNamespace returns a namespace that nothing runs in.
func newNamespace() (handle netns.NsHandle, err error) {
	made := make(chan struct{})
	go func() {
		defer close(made)
		// Never unlocked: the thread ends with the goroutine, instead of going on
		// with other work in another namespace.
		runtime.LockOSThread()
		handle, err = netns.New()
	}()
	<-made
	return handle, err
}

// link connects the host with this namespace.
func (h *Host) link(end *netlink.Veth) error {
	if err := netlink.LinkAdd(end); err != nil {
		return err
	}
	if err := bringUp(&netlink.Handle{}, end.Name, fmt.Sprint(h.Gateway, "/", h.bits)); err != nil {
		return err
	}
	inside, err := netlink.NewHandleAt(h.handle)
	if err != nil {
		return err
	}
	defer inside.Close()
	if err := bringUp(inside, "lo", ""); err != nil {
		return err
	}
	if err := bringUp(inside, end.PeerName, fmt.Sprint(h.Addr, "/", h.bits)); err != nil {
		return err
	}
	return inside.RouteAdd(&netlink.Route{Gw: net.ParseIP(h.Gateway)})
}

// bringUp brings up an interface, with an address if there is one.
func bringUp(in *netlink.Handle, name, address string) error {
	link, err := in.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if address != "" {
		addr, err := netlink.ParseAddr(address)
		if err != nil {
			return err
		}
		addr.Flags = unix.IFA_F_NODAD // no wait of a second for an IPv6 address to be found unique
		if err := in.AddrAdd(link, addr); err != nil {
			return fmt.Errorf("add %s to %s: %w", address, name, err)
		}
	}
	if err := in.LinkSetUp(link); err != nil {
		return fmt.Errorf("bring up %s: %w", name, err)
	}
	return nil
}
