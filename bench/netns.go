package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"my-company.com/staticsite-operator/e2e/netns"
)

// inside is set in the process that measures.
const inside = "STATICSITE_BENCH_NETNS"

// isolated runs this program again in a network namespace of its own, where every
// port is free, nothing reaches another machine, and endpoints have addresses
// that are not loopback, which the Kubernetes API refuses.
func isolated(ctx context.Context) error {
	path, err := os.Executable()
	if err != nil {
		return err
	}
	for _, attributes := range namespaces() {
		cmd := exec.CommandContext(ctx, path)
		cmd.Args = os.Args
		cmd.Env = append(os.Environ(), inside+"=1")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = attributes
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = time.Minute // it stops its own children first
		if err = cmd.Start(); err == nil {
			return cmd.Wait()
		}
	}
	return fmt.Errorf("enter a network namespace of its own (allow user namespaces, or run as root): %w", err)
}

// namespaces returns the ways into a namespace, best first: without a user
// namespace root keeps its rights.
func namespaces() []*syscall.SysProcAttr {
	withUser := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if os.Getuid() != 0 {
		return []*syscall.SysProcAttr{withUser}
	}
	return []*syscall.SysProcAttr{{Cloneflags: syscall.CLONE_NEWNET}, withUser}
}

// podAddresses are where backends listen.
var podAddresses = []string{netns.Addr(1), netns.Addr(2)}

// upLoopback brings up the namespace's one interface with the pods' addresses.
func upLoopback() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	err = netlink.LinkSetUp(lo)
	for _, a := range podAddresses {
		address, parse := netlink.ParseAddr(a + "/32")
		if parse != nil {
			return parse
		}
		err = errors.Join(err, netlink.AddrAdd(lo, address))
	}
	if err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	return nil
}
