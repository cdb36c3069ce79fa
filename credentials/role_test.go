package credentials

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"

	. "my-company.com/staticsite-operator/credentials/credentialstest"
)

const (
	podName     = "spiffe://example.org/ns/ingress/pod/edge-1"
	replicaName = "xds.operators.svc"
)

// TestOf is the table of who is who.
func TestOf(t *testing.T) {
	operators, ingress, other := NewCA("operators"), NewCA("ingress"), NewCA("other")
	now := time.Now()
	later := now.Add(time.Hour)
	between := NewCA("between") // signed by nobody we know
	rules := Rules{
		Proxies:  Class{pool(cas(ingress)), []string{"edge.ingress.svc", "spiffe://example.org/ns/ingress/pod/*"}},
		Replicas: Class{pool(cas(operators)), []string{replicaName}},
	}
	for _, test := range []struct {
		name   string
		by     *CA
		until  time.Time
		names  []string
		server bool // it shows it as a server
		want   Role
		why    string
	}{
		{name: "proxy by DNS name", by: ingress, until: later, names: []string{"edge.ingress.svc"}, want: Proxy},
		{name: "in upper case", by: ingress, until: later, names: []string{"EDGE.ingress.svc"}, want: Proxy},
		{name: "proxy by its pod", by: ingress, until: later, names: []string{podName}, want: Proxy},
		{name: "one name of several", by: ingress, until: later, names: []string{"else", podName}, want: Proxy},
		{name: "replica", by: operators, until: later, names: []string{replicaName}, want: Replica},
		{name: "replica as a server", by: operators, until: later, names: []string{replicaName}, server: true, want: Replica},
		{name: "proxy as a server", by: ingress, until: later, names: []string{podName}, server: true, why: "is a proxy, and no server"},
		{name: "a replica's name by the proxies' CA", by: ingress, until: later, names: []string{replicaName}, why: "unknown authority"},
		{name: "a proxy's name by the replicas' CA", by: operators, until: later, names: []string{podName}, why: "unknown authority"},
		{name: "both names by the proxies' CA", by: ingress, until: later, names: []string{replicaName, podName}, want: Proxy},
		{name: "other CA", by: other, until: later, names: []string{podName}, why: "unknown authority"},
		{name: "a CA between that is missing", by: between, until: later, names: []string{podName}, why: "unknown authority"},
		{name: "expired", by: ingress, until: now.Add(-time.Second), names: []string{podName}, why: "expired"},
		{name: "other name", by: ingress, until: later, names: []string{"edge.team.svc"}, why: "none of its names may connect: edge.team.svc"},
		{name: "no name", by: ingress, until: later, why: "none of its names may connect"},
		{name: "a segment too many", by: ingress, until: later, names: []string{podName + "/x"}, why: "none of its names"},
		{name: "a segment too few", by: ingress, until: later, names: []string{"spiffe://example.org/ns/ingress/pod/"}, why: "none of its names"},
		{name: "a wildcard is a name like others", by: ingress, until: later, names: []string{"*.ingress.svc"}, why: "none of its names"},
		{name: "a URI in upper case", by: ingress, until: later, names: []string{"spiffe://example.org/NS/ingress/pod/edge-1"}, why: "none of its names"},
	} {
		t.Run(test.name, func(t *testing.T) {
			usage := x509.ExtKeyUsageClientAuth
			if test.server {
				usage = x509.ExtKeyUsageServerAuth
			}
			leaf := test.by.Issue(test.until, test.names...).TLS().Leaf
			got, err := rules.Of([]*x509.Certificate{leaf}, usage, now)
			if got.Role != test.want {
				t.Errorf("it is %s (%v), want %s", got.Role, err, test.want)
			}
			if (err == nil) == (test.want == Nobody) || err != nil && !strings.Contains(err.Error(), test.why) {
				t.Errorf("the error is %v, want %q", err, test.why)
			}
			if got.Role != Nobody && !got.Until.Equal(leaf.NotAfter) {
				t.Errorf("it is so until %v, want %v", got.Until, leaf.NotAfter)
			}
		})
	}
	if got, err := rules.Of(nil, x509.ExtKeyUsageClientAuth, now); got.Role != Nobody || err == nil {
		t.Errorf("without a certificate it is %s, %v", got.Role, err)
	}

	// One CA for all, and the names do not tell the roles apart.
	rules.Replicas = rules.Proxies
	leaf := ingress.Issue(later, podName).TLS().Leaf
	if got, err := rules.Of([]*x509.Certificate{leaf}, x509.ExtKeyUsageClientAuth, now); got.Role != Nobody || err == nil || !strings.Contains(err.Error(), "good for a proxy") {
		t.Errorf("who is both is %s, %v", got.Role, err)
	}

	// It ends with its CA, if that is earlier.
	leaf = ingress.Issue(ingress.Certificate.NotAfter.Add(time.Hour), "edge.ingress.svc").TLS().Leaf
	rules.Replicas = Class{}
	if got, err := rules.Of([]*x509.Certificate{leaf}, x509.ExtKeyUsageClientAuth, now); err != nil || !got.Until.Equal(ingress.Certificate.NotAfter) {
		t.Errorf("it is so until %v (%v), want the CA's end, %v", got.Until, err, ingress.Certificate.NotAfter)
	}
}

func cas(all ...*CA) (certificates []*x509.Certificate) {
	for _, ca := range all {
		certificates = append(certificates, ca.Certificate)
	}
	return certificates
}
