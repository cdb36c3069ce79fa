package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// inUse words why an address cannot be had.
func inUse(a address, port string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %s (%s) cannot be used: %w; %s", port, a.use, err, a.remedy)
	}
	who := holder(port)
	if who == "" {
		who = "another program, which `ss -ltnp` as root would name"
	}
	return fmt.Errorf("port %s (%s) is in use by %s; stop that, or %s", port, a.use, who, a.remedy)
}

// holder returns the name and id of a process that listens on a TCP port, as far
// as this user may see it; "" if not.
func holder(port string) string {
	sockets := listening(port)
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || !sockets[target] {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue // it just ended
		}
		return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
	}
	return ""
}

// listening returns the sockets that listen on a TCP port, as /proc/*/fd names them.
func listening(port string) map[string]bool {
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil
	}
	const (
		localAddress = 1
		state        = 3
		inode        = 9
		listen       = "0A"
	)
	suffix := fmt.Sprintf(":%04X", number)
	sockets := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > inode && fields[state] == listen && strings.HasSuffix(fields[localAddress], suffix) {
				sockets["socket:["+fields[inode]+"]"] = true
			}
		}
	}
	return sockets
}
