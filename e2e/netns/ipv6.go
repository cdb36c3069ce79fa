package netns

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// SwitchOffIPv6 does on a host what disable_ipv6=1 does on a machine: there are
// IPv6 sockets, and no IPv6 addresses.
func (h *Host) SwitchOffIPv6() error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, as in newNamespace
		err := h.Enter()
		for _, which := range []string{"all", "default"} {
			if err == nil {
				err = os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0)
			}
		}
		done <- err
	}()
	if err := <-done; err != nil {
		return fmt.Errorf("switch off IPv6: %w", err)
	}
	return nil
}

// ForgetIPv6 makes the kernel one that knows no IPv6 (ipv6.disable=1) to the
// programs that are started on the host from now on.
func (h *Host) ForgetIPv6() { h.noIPv6 = true }

// refuseIPv6Sockets does it for the caller's thread and what it starts.
func refuseIPv6Sockets() error {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		answer = unix.BPF_RET | unix.BPF_K

		number, family = 0, 16 // where they are in struct seccomp_data: the low half of the first argument
	)
	program := []unix.SockFilter{
		{Code: load, K: number},
		{Code: equal, K: unix.SYS_SOCKET, Jf: 3},
		{Code: load, K: family},
		{Code: equal, K: unix.AF_INET6, Jf: 1},
		{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)},
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("refuse IPv6 sockets: %w", err)
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0); err != nil {
		return fmt.Errorf("refuse IPv6 sockets: %w", err)
	}
	return nil
}
