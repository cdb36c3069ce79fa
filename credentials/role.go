package credentials

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Role is what a peer may be.
type Role int

// The roles.
const (
	Nobody Role = iota
	Proxy
	Replica // of this program: as a client and as a server
)

func (r Role) String() string { return [...]string{"nobody", "proxy", "replica"}[r] }

// An Identity is who a peer is.
type Identity struct {
	Role  Role
	Name  string    // the name in its certificate by which it is admitted
	Until time.Time // the certificate, or a CA that it depends on, ends after this
}

// A Class is who may have a role: whose certificate one of these CAs has signed,
// and has one of these names.
//
// A name is a DNS name or a URI, to be met exactly (DNS names in any case), or a
// URI that ends with "/*", which stands for one more segment:
// spiffe://example.org/ns/ingress/pod/*.
type Class struct {
	CAs   *x509.CertPool
	Names []string
}

// Rules decide who a peer is.
type Rules struct {
	Proxies, Replicas Class
}

// Of returns who shows these certificates, its own first, at a time; usage is what
// it shows them for: as a client or as a server. The error says why it is Nobody.
//
// It takes no request: what a peer says of itself decides nothing. A certificate
// that is good for two roles is good for none: a bundle or a name is where it should
// not be, and a guess could give a proxy the rights of a replica.
func (r Rules) Of(certificates []*x509.Certificate, usage x509.ExtKeyUsage, now time.Time) (Identity, error) {
	if len(certificates) == 0 {
		return Identity{}, errors.New("it shows no certificate")
	}
	var found Identity
	var refused error
	for _, class := range []struct {
		Role
		Class
	}{{Proxy, r.Proxies}, {Replica, r.Replicas}} {
		identity, err := class.admit(certificates, usage, now)
		switch {
		case errors.Is(err, errNoName):
		case err != nil:
			refused = err
		case found.Role != Nobody:
			return Identity{}, fmt.Errorf("its certificate is good for a %s (%s) and for a %s (%s): give each role a CA, and names, of its own",
				found.Role, found.Name, class.Role, identity.Name)
		default:
			found = identity
			found.Role = class.Role
		}
	}
	switch {
	case found.Role == Proxy && usage == x509.ExtKeyUsageServerAuth:
		return Identity{}, fmt.Errorf("%s is a proxy, and no server", found.Name)
	case found.Role != Nobody:
		return found, nil
	case refused != nil:
		return Identity{}, refused
	}
	return Identity{}, fmt.Errorf("none of its names may connect: %s", strings.Join(names(certificates[0]), ", "))
}

var errNoName = errors.New("no name of this class")

func (c Class) admit(certificates []*x509.Certificate, usage x509.ExtKeyUsage, now time.Time) (Identity, error) {
	leaf := certificates[0]
	all := names(leaf)
	i := slices.IndexFunc(all, c.named)
	if i < 0 {
		return Identity{}, errNoName
	}
	between := x509.NewCertPool()
	for _, certificate := range certificates[1:] {
		between.AddCert(certificate)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: c.CAs, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return Identity{}, fmt.Errorf("the certificate of %s: %w", all[i], err)
	}
	return Identity{Name: all[i], Until: until(chains)}, nil
}

// named reports whether a name is one of the class's.
func (c Class) named(name string) bool {
	return slices.ContainsFunc(c.Names, func(allowed string) bool {
		if prefix, ok := strings.CutSuffix(allowed, "/*"); ok {
			segment, ok := strings.CutPrefix(name, prefix+"/")
			return ok && segment != "" && !strings.Contains(segment, "/")
		}
		if strings.Contains(allowed, "://") {
			return name == allowed
		}
		return strings.EqualFold(name, allowed)
	})
}

// names are those that count: URIs first, since they name one thing.
func names(leaf *x509.Certificate) []string {
	var all []string
	for _, uri := range leaf.URIs {
		all = append(all, uri.String())
	}
	return append(all, leaf.DNSNames...)
}

// until is when the last of the chains ends: with its first certificate that ends.
func until(chains [][]*x509.Certificate) time.Time {
	var last time.Time
	for _, chain := range chains {
		first := chain[0].NotAfter
		for _, certificate := range chain {
			if certificate.NotAfter.Before(first) {
				first = certificate.NotAfter
			}
		}
		if first.After(last) {
			last = first
		}
	}
	return last
}
