package main

import (
	"context"
	"path/filepath"

	"my-company.com/staticsite-operator/bench/server"
)

// profile writes a CPU profile of a server that makes changes, outside of what is
// measured, and a heap profile.
func (b *bench) profile(ctx context.Context, c *contender, name string) error {
	if b.profiles == "" || c.spec.Kind != server.Ours && c.spec.Kind != server.Floor {
		return nil
	}
	if err := c.startProfile(b.profileFile(name + ".cpu")); err != nil {
		return err
	}
	if _, err := c.run(ctx, server.Turn, 200, fastPace); err != nil {
		return err
	}
	if err := c.stopProfile(); err != nil {
		return err
	}
	return c.control.Call("Control.HeapProfile", b.profileFile(name+".heap"), &server.None{})
}

func (b *bench) profileFile(name string) string { return filepath.Join(b.profiles, name) }

func (p *process) startProfile(file string) error {
	return p.control.Call("Control.StartProfile", file, &server.None{})
}

func (p *process) stopProfile() error {
	return p.control.Call("Control.StopProfile", server.None{}, &server.None{})
}
