package upstream

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"my-company.com/staticsite-operator/object"
)

// A Service is one Service and its EndpointSlices, whether there are any or not.
type Service struct {
	Key     object.Key
	Object  *object.Service // nil: it does not exist
	Refused string          // what is wrong with its endpoints, as last looked at; empty when nothing is

	slices []*object.Slice   // sorted by name
	spoken map[string]string // what the slices say of the protocol of the ports, as last looked at; see appProtocols
}

// Empty reports whether neither the Service nor a slice of it exists.
func (s *Service) Empty() bool { return s.Object == nil && len(s.slices) == 0 }

// Slices returns how many slices there are.
func (s *Service) Slices() int { return len(s.slices) }

// PutSlice takes in a slice. No slice of that name is there.
func (s *Service) PutSlice(slice *object.Slice) {
	i, _ := s.find(slice.Name)
	s.slices = slices.Insert(s.slices, i, slice)
}

// DropSlice forgets the slice of that name, which is there.
func (s *Service) DropSlice(name string) {
	i, _ := s.find(name)
	s.slices = slices.Delete(s.slices, i, i+1)
}

// find returns where in s.slices the slice of that name is or would be.
func (s *Service) find(name string) (int, bool) {
	return slices.BinarySearchFunc(s.slices, name, func(slice *object.Slice, name string) int {
		return strings.Compare(slice.Name, name)
	})
}

// Look looks at the slices again, and reports whether anything that it found is
// different: what is wrong with endpoints, or what the ports speak.
func (s *Service) Look(allowed []netip.Prefix) bool {
	refused, spoken := s.refusedEndpoints(allowed), appProtocols(s.slices)
	if refused == s.Refused && maps.Equal(spoken, s.spoken) {
		return false
	}
	s.Refused, s.spoken = refused, spoken
	return true
}
