// Package evil is a corpus for tests: one tenant's objects, in every way in which
// they may be evil. The tests apply each case beside good sites and look at
// what it does to those: nothing, byte for byte and request by request.
//
// Read first: Case, and Cases, which lists them all.
package evil
