package credentials

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// material is what the files say. It is never modified once others can see it.
type material struct {
	pair              tls.Certificate
	proxies, replicas []*x509.Certificate // CAs
	rules             Rules
}

// parsePair reads a certificate, with those between it and its CA, and its key.
func parsePair(certificate, key []byte) (tls.Certificate, error) {
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return pair, errors.New(strings.TrimPrefix(err.Error(), "tls: "))
	}
	return pair, nil
}

// parseBundle reads CAs. Nothing in it is skipped: a bundle that was cut, or has
// something else in it, is refused whole, for what is left out would lock out
// everybody whom it stands for.
func parseBundle(text []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("it has a %s: write certificates of CAs only", block.Type)
		}
		ca, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, err)
		}
		if !ca.BasicConstraintsValid || !ca.IsCA {
			return nil, fmt.Errorf("certificate %d (%s) is not a CA's", len(all)+1, ca.Subject)
		}
		all = append(all, ca)
	}
	if bytes.Contains(text, []byte("-----")) {
		return nil, fmt.Errorf("it is cut, or spoiled, after certificate %d", len(all))
	}
	if len(all) == 0 {
		return nil, errors.New("it has no certificate")
	}
	return all, nil
}

func pool(bundles ...[]*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, bundle := range bundles {
		for _, ca := range bundle {
			p.AddCert(ca)
		}
	}
	return p
}
