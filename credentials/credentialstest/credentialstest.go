// Package credentialstest makes certificates for tests, and mounts them as
// Kubernetes does. It panics where it fails: a test can do nothing about it.
package credentialstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A CA issues certificates.
type CA struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewCA returns a CA whose certificate is good for a year from an hour ago.
func NewCA(name string) *CA {
	ca := &CA{key: newKey()}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	ca.Certificate = sign(template, template, &ca.key.PublicKey, ca.key)
	return ca
}

// PEM returns a bundle of these CAs.
func PEM(cas ...*CA) (bundle []byte) {
	for _, ca := range cas {
		bundle = append(bundle, encode("CERTIFICATE", ca.Certificate.Raw)...)
	}
	return bundle
}

// A Pair is a certificate and its key, as PEM.
type Pair struct {
	Certificate, Key []byte
}

// Issue returns a certificate for clients and servers with these names, DNS names or
// URIs, which ends at a time.
func (ca *CA) Issue(notAfter time.Time, names ...string) Pair {
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "of " + ca.Certificate.Subject.CommonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: notAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if !strings.Contains(name, "://") {
			template.DNSNames = append(template.DNSNames, name)
			continue
		}
		uri, err := url.Parse(name)
		must(err)
		template.URIs = append(template.URIs, uri)
	}
	key := newKey()
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	return Pair{encode("CERTIFICATE", sign(template, ca.Certificate, &key.PublicKey, ca.key).Raw), encode("PRIVATE KEY", encoded)}
}

// TLS returns a pair in the form that crypto/tls takes.
func (p Pair) TLS() tls.Certificate {
	pair, err := tls.X509KeyPair(p.Certificate, p.Key)
	must(err)
	return pair
}

// Files are those of a Secret of kind kubernetes.io/tls, with the CAs that its holder
// is to trust.
func (p Pair) Files(trusts ...*CA) map[string][]byte {
	return map[string][]byte{"tls.crt": p.Certificate, "tls.key": p.Key, "ca.crt": PEM(trusts...)}
}

// Mount makes a folder show these files, or replaces those that it shows, as kubelet
// does with a Secret: ..data is a link to a folder of this version, and is swapped at
// once.
func Mount(folder string, files map[string][]byte) {
	must(os.MkdirAll(folder, 0o755))
	version, err := os.MkdirTemp(folder, "..version-")
	must(err)
	must(os.Chmod(version, 0o755))
	for name, content := range files {
		must(os.WriteFile(filepath.Join(version, name), content, 0o644))
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)); !errors.Is(err, fs.ErrExist) {
			must(err)
		}
	}
	data := filepath.Join(folder, "..data")
	before, _ := os.Readlink(data)
	must(os.Symlink(filepath.Base(version), data+"_tmp"))
	must(os.Rename(data+"_tmp", data))
	if before != "" {
		must(os.RemoveAll(filepath.Join(folder, before)))
	}
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	return key
}

func serial() *big.Int {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	must(err)
	return n.Add(n, big.NewInt(1))
}

func sign(template, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) *x509.Certificate {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	must(err)
	certificate, err := x509.ParseCertificate(der)
	must(err)
	return certificate
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must(err error) {
	if err != nil {
		panic(fmt.Errorf("credentialstest: %w", err))
	}
}
