package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// addresses is how many addresses a namespace has besides loopback.
const addresses = 9

// Addr returns an address of the namespace that is not loopback: 192.0.2.n, n
// from 1 to 9. It panics for another n, which is a mistake in the test.
func Addr(n int) string {
	if n < 1 || n > addresses {
		panic(fmt.Sprintf("netns: there is no address %d; there are 1 to %d", n, addresses))
	}
	return fmt.Sprintf("192.0.2.%d", n)
}

// configure brings up the namespace's one interface with its addresses.
func configure() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	for n := 1; n <= addresses; n++ {
		address, err := netlink.ParseAddr(Addr(n) + "/32")
		if err != nil {
			return fmt.Errorf("add %s to lo: %w", Addr(n), err)
		}
		if err := netlink.AddrAdd(lo, address); err != nil {
			return fmt.Errorf("add %s to lo: %w", Addr(n), err)
		}
	}
	return nil
}
