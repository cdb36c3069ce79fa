package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"google.golang.org/protobuf/proto"

	"my-company.com/staticsite-operator/translate/envoy"
	"my-company.com/staticsite-operator/translate/envoy/bootstrap"
)

// bootstrapTLSFlags are the flags of bootstrap for proxies that connect with mutual
// TLS.
type bootstrapTLSFlags struct {
	bootstrap.TLS
	output string
}

func (f *bootstrapTLSFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.Dir, "tls-dir", "", "connect with mutual TLS: the folder that has the proxy's tls.crt and tls.key where the proxy runs; empty: plaintext")
	flags.StringVar(&f.CAFile, "tls-ca", "", "with --tls-dir: the file with the CAs of this server, where the proxy runs")
	flags.StringVar(&f.ServerName, "tls-server-name", "", "with --tls-dir: the DNS name or URI in this server's certificate; empty: the host in --xds-address")
	flags.StringVar(&f.ConfigDir, "config-dir", "/etc/envoy", "with --tls-dir: where the proxy finds the files that are written")
	flags.StringVar(&f.output, "output-dir", "", "with --tls-dir: where to write "+bootstrapFile+", "+bootstrap.ClientFile+" and "+bootstrap.CAFile)
}

// bootstrapFile is what the bootstrap is called among the files of --output-dir.
const bootstrapFile = "envoy-bootstrap.yaml"

// check completes the flags for a server at a host, or says what is wrong with them.
// It returns nil for plaintext.
func (f *bootstrapTLSFlags) check(host string) (*bootstrap.TLS, error) {
	if f.Dir == "" {
		for _, flag := range []struct{ name, value string }{{"--tls-ca", f.CAFile}, {"--tls-server-name", f.ServerName}, {"--output-dir", f.output}} {
			if flag.value != "" {
				return nil, fmt.Errorf("%s goes with --tls-dir: write the folder with the proxy's tls.crt and tls.key", flag.name)
			}
		}
		return nil, nil
	}
	if f.CAFile == "" {
		return nil, fmt.Errorf("--tls-dir goes with --tls-ca: write the file with the CAs of this server (the ca.crt beside tls.crt is mostly that of proxies)")
	}
	if f.output == "" {
		return nil, fmt.Errorf("--tls-dir goes with --output-dir: there are three files, since Envoy reads renewed certificates only so")
	}
	for _, flag := range []struct{ name, path string }{{"--tls-dir", f.Dir}, {"--tls-ca", f.CAFile}, {"--config-dir", f.ConfigDir}} {
		if !filepath.IsAbs(flag.path) {
			return nil, fmt.Errorf("%s=%s: write the whole path, such as /etc/xds-tls: Envoy reads it where it is started", flag.name, flag.path)
		}
	}
	if f.ServerName == "" {
		if _, err := netip.ParseAddr(host); err == nil {
			return nil, fmt.Errorf("--tls-dir goes with --tls-server-name where --xds-address is an IP address: write the name in this server's certificate")
		}
		f.ServerName = host
	}
	return &f.TLS, nil
}

// write writes the three files.
func (f *bootstrapTLSFlags) write(o bootstrap.Options) error {
	for name, message := range map[string]proto.Message{
		bootstrapFile: bootstrap.Render(o), bootstrap.ClientFile: f.Client(), bootstrap.CAFile: f.CA(),
	} {
		text, err := envoy.YAML(message)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(f.output, name), text, 0o644); err != nil {
			return fmt.Errorf("--output-dir=%s: %w", f.output, err)
		}
	}
	return nil
}
