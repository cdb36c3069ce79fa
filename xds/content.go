package xds

import (
	"slices"
	"sync"

	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
)

// content is what a response says: resources, or names that are removed. It is
// immutable; its encoded forms are made once, for all streams that are sent it.
type content struct {
	upserts []*Resource
	removes []string

	onceDelta, onceSotw sync.Once
	delta, sotw         mem.BufferSlice

	mu         sync.Mutex // guards what follows; held while it is made, which takes no longer than an encoding
	assigned   *slotSet
	assignedIn names // of the snapshot that assigned is about
}

var nothing = new(content)

// and returns the content with more resources.
func (c *content) and(more []*Resource) *content {
	if len(more) == 0 {
		return c
	}
	return &content{upserts: append(slices.Clip(c.upserts), more...), removes: c.removes}
}

// deltaBody returns fields 2 and 6 of a DeltaDiscoveryResponse.
func (c *content) deltaBody() mem.BufferSlice {
	c.onceDelta.Do(func() {
		c.delta = bodyOf(c.upserts, (*Resource).Size, (*Resource).appendDelta)
		if len(c.removes) > 0 {
			var b []byte
			for _, name := range c.removes {
				b = protowire.AppendString(protowire.AppendTag(b, fieldRemoved, protowire.BytesType), name)
			}
			c.delta = append(c.delta, mem.SliceBuffer(b))
		}
	})
	return c.delta
}

// sotwBody returns fields 2 of a DiscoveryResponse.
func (c *content) sotwBody() mem.BufferSlice {
	c.onceSotw.Do(func() { c.sotw = bodyOf(c.upserts, (*Resource).sotwSize, (*Resource).appendSotw) })
	return c.sotw
}

// bodyOf writes resources into one buffer: gRPC handles a long one better, for
// every stream, than thousands of short ones.
func bodyOf(resources []*Resource, sizeOf func(*Resource) int, write func(*Resource, []byte) []byte) mem.BufferSlice {
	if len(resources) == 0 {
		return nil
	}
	size := 0
	for _, r := range resources {
		size += sizeOf(r)
	}
	all := make([]byte, 0, size)
	for _, r := range resources {
		all = write(r, all)
	}
	return mem.BufferSlice{mem.SliceBuffer(all)}
}

// assignments returns where in a snapshot the assignments of these clusters are.
// Streams that connect at the same time all want to know.
func (c *content) assignments(in *Snapshot) *slotSet {
	c.mu.Lock()
	defer c.mu.Unlock()
	if current := &in.tables[Endpoint].names; c.assigned == nil || !c.assignedIn.same(current) {
		c.assigned, c.assignedIn = in.assignments(c.upserts), *current
	}
	return c.assigned
}

// sum adds up the resources, as a table does.
func (c *content) sum() (sum uint64) {
	for _, r := range c.upserts {
		sum += r.sum
	}
	return sum
}
