package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	grpccredentials "google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"my-company.com/staticsite-operator/credentials"
	"my-company.com/staticsite-operator/xds"
)

// nowhere is the address at which nothing is served.
const nowhere = "0"

// listenFlags say where proxies, replicas and people connect, and who may.
type listenFlags struct {
	plain, locked, inspect string
	insecure               bool
	files                  credentials.Config
}

func (f *listenFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.plain, "xds-bind-address", "", "where proxies connect in plaintext, once the first configuration is there; "+
		"empty: :9000, or nowhere with --xds-tls-bind-address; 0: nowhere")
	flags.BoolVar(&f.insecure, "xds-insecure", false, "accept that --xds-bind-address is an address that others reach: whoever does may read every site's configuration and falsify statuses")
	flags.StringVar(&f.locked, "xds-tls-bind-address", "", "where proxies and replicas connect with mutual TLS; it goes with --xds-tls-dir, --xds-tls-proxy-ca and --xds-tls-proxy-san")
	flags.StringVar(&f.files.Dir, "xds-tls-dir", "", "a folder with this server's tls.crt and tls.key, and ca.crt: the CAs of all replicas. They are read again when they change")
	flags.StringVar(&f.files.ProxyCAs, "xds-tls-proxy-ca", "", "a file with the CAs of proxies; it is read again when it changes")
	flags.StringSliceVar(&f.files.Proxies, "xds-tls-proxy-san", nil, "a DNS name or URI in the certificates of proxies (spiffe://.../* stands for one more segment); repeatable")
	flags.StringSliceVar(&f.files.Replicas, "xds-tls-replica-san", nil, "a DNS name or URI in the certificates of this server and its replicas; repeatable")
	flags.StringVar(&f.inspect, "xds-inspect-bind-address", "127.0.0.1:9001", "with --xds-tls-bind-address: where people ask what proxies have (explain, grpcurl), on loopback: they come by kubectl port-forward; 0: nowhere")
}

// check completes the flags, or says what is wrong with them. peers tells that
// replicas ask each other.
func (f *listenFlags) check(peers bool) error {
	if err := f.checkTLS(peers); err != nil {
		return err
	}
	if f.plain == "" {
		f.plain = ":9000"
		if f.locked != "" {
			f.plain = nowhere
		}
	}
	if f.plain == nowhere && f.locked == "" {
		return errors.New("--xds-bind-address=0 goes with --xds-tls-bind-address: proxies connect nowhere")
	}
	reachable, err := isReachable("--xds-bind-address", f.plain)
	if err != nil {
		return err
	}
	if reachable && !f.insecure {
		return fmt.Errorf("--xds-bind-address=%s would give every site's configuration, in plaintext, to whoever reaches it: "+
			"use --xds-tls-bind-address, or an address of loopback, or accept it with --xds-insecure", f.plain)
	}
	f.insecure = reachable
	return nil
}

func (f *listenFlags) checkTLS(peers bool) error {
	if f.locked == "" {
		for _, flag := range []struct {
			name  string
			given bool
		}{
			{"--xds-tls-dir", f.files.Dir != ""}, {"--xds-tls-proxy-ca", f.files.ProxyCAs != ""},
			{"--xds-tls-proxy-san", len(f.files.Proxies) > 0}, {"--xds-tls-replica-san", len(f.files.Replicas) > 0},
		} {
			if flag.given {
				return fmt.Errorf("%s goes with --xds-tls-bind-address: write where proxies connect with TLS, such as :9443", flag.name)
			}
		}
		return nil
	}
	if _, err := isReachable("--xds-tls-bind-address", f.locked); err != nil {
		return err
	}
	switch {
	case f.locked == nowhere:
		return errors.New("--xds-tls-bind-address=0: write an address such as :9443, or leave it out")
	case f.files.Dir == "":
		return errors.New("--xds-tls-bind-address goes with --xds-tls-dir: write the folder with tls.crt, tls.key and ca.crt")
	case f.files.ProxyCAs == "":
		return errors.New("--xds-tls-bind-address goes with --xds-tls-proxy-ca: write the file with the CAs of proxies")
	case len(f.files.Proxies) == 0:
		return errors.New("--xds-tls-bind-address goes with --xds-tls-proxy-san: write the name in the certificates of proxies, such as ssg-envoy-gateway.ingress.svc")
	case len(f.files.Replicas) == 0 && peers:
		return errors.New("--xds-tls-bind-address and --replicas-service go with --xds-tls-replica-san: write the name in the certificates of replicas")
	}
	reachable, err := isReachable("--xds-inspect-bind-address", f.inspect)
	if err == nil && reachable {
		err = fmt.Errorf("--xds-inspect-bind-address=%s can be reached by others, and asks nobody who he is: write an address of loopback, such as 127.0.0.1:9001", f.inspect)
	}
	return err
}

// isReachable reports whether others than this machine's own processes may reach an
// address.
func isReachable(flag, address string) (bool, error) {
	if address == nowhere {
		return false, nil
	}
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return false, fmt.Errorf("%s=%s: write an address and a port, such as 127.0.0.1:9000 or :9000: %w", flag, address, err)
	}
	return !resolved.IP.IsLoopback(), nil
}

// listeners are the ports of the server, and what locks them.
type listeners struct {
	ports []xds.Port
	store *credentials.Store // nil: nothing is locked

	// How replicas reach each other: on the port of this name, by these.
	replicaPort  string
	replicaCreds grpccredentials.TransportCredentials
}

// listen checks the flags, reads the credentials, and says what is served where.
// Services are what replicas ask each other by.
func (f *listenFlags) listen(server *xds.Server, services []func(grpc.ServiceRegistrar), log *zap.Logger) (*listeners, error) {
	if err := f.check(len(services) > 0); err != nil {
		return nil, err
	}
	l := &listeners{replicaPort: "grpc-xds", replicaCreds: insecure.NewCredentials()}
	if f.insecure {
		log.Warn("plaintext on an address that others reach (--xds-insecure): whoever reaches it may read every site's configuration, "+
			"and pose as a proxy or a replica and falsify statuses; only the network keeps them away", zap.String("address", f.plain))
	}
	if f.plain != nowhere {
		l.ports = append(l.ports, server.Open(f.plain, services...))
	}
	if f.locked == "" {
		return l, nil
	}
	var err error
	if l.store, err = credentials.New(f.files, time.Now, log.Named("credentials")); err != nil {
		return nil, fmt.Errorf("--xds-tls-dir and --xds-tls-proxy-ca: %w", err)
	}
	l.ports = append(l.ports, xds.Port{
		Flag: "--xds-tls-bind-address", Address: f.locked, Options: l.store.Options(access()),
		Services: append([]func(grpc.ServiceRegistrar){server.RegisterADS}, services...),
	})
	if f.inspect != nowhere {
		l.ports = append(l.ports, xds.Port{
			Flag: "--xds-inspect-bind-address", Address: f.inspect, Reflection: true,
			Services: []func(grpc.ServiceRegistrar){server.RegisterClientStatus},
		})
	}
	// As long as plaintext is accepted, some replicas may have nothing else.
	if !f.insecure {
		l.replicaPort, l.replicaCreds = "grpc-xds-tls", l.store.Client()
	}
	return l, nil
}
