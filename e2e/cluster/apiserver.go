package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// Options say how an API server differs from the usual one.
type Options struct {
	// Args are added to the flags, and win over them.
	Args []string
	// Credentials are those of another API server on the same etcd, so that the
	// tokens of one are good at the other. Nil: new ones.
	Credentials *Credentials
}

// APIServer is a kube-apiserver with RBAC. It keeps its port and its credentials
// when it is restarted.
type APIServer struct {
	// URL is where clients find it.
	URL string
	// Credentials are the keys and the token it believes.
	Credentials *Credentials

	owner    proc.Owner
	spec     proc.Spec
	process  *proc.Process
	auditLog string
	caFile   string
}

// StartAPIServer starts an API server on an etcd, which may be a link.Proxy in
// front of one, and waits until it serves.
func StartAPIServer(ctx context.Context, owner proc.Owner, etcdURL string, options Options) (*APIServer, error) {
	binary, err := parts.Find("kube-apiserver")
	if err != nil {
		return nil, err
	}
	address, err := proc.FreeAddress("127.0.0.1")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(owner.ArtifactDir(), "kube-apiserver-"+portOf(address))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start kube-apiserver: %w", err)
	}
	credentials := options.Credentials
	if credentials == nil {
		if credentials, err = newCredentials(dir); err != nil {
			return nil, fmt.Errorf("start kube-apiserver: %w", err)
		}
	}
	a := &APIServer{
		URL:         "https://" + address,
		Credentials: credentials,
		owner:       owner,
		auditLog:    filepath.Join(dir, "audit.log"),
		caFile:      filepath.Join(dir, "apiserver.crt"), // it signs its own certificate
	}
	policy := filepath.Join(dir, "audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o644); err != nil {
		return nil, fmt.Errorf("start kube-apiserver: %w", err)
	}
	a.spec = proc.Spec{
		Name: "kube-apiserver",
		Path: binary,
		Args: append([]string{
			"--etcd-servers=" + etcdURL,
			"--bind-address=127.0.0.1",
			"--secure-port=" + portOf(address),
			"--advertise-address=192.0.2.1", // must not be loopback; nobody connects to it
			"--cert-dir=" + dir,
			"--service-cluster-ip-range=10.96.0.0/16",
			"--service-account-issuer=https://kubernetes.default.svc",
			"--service-account-key-file=" + credentials.publicKey,
			"--service-account-signing-key-file=" + credentials.privateKey,
			"--token-auth-file=" + credentials.tokens,
			"--authorization-mode=RBAC",
			// Without its controller it would refuse every pod; nothing else is lost.
			"--disable-admission-plugins=ServiceAccount",
			"--audit-policy-file=" + policy,
			"--audit-log-path=" + a.auditLog,
			"--audit-log-mode=blocking", // an answered request is in the log
		}, options.Args...),
		Ready: a.ready,
	}
	return a, a.Restart(ctx)
}

// ready asks as anybody could; a fresh server's certificate is its own.
func (a *APIServer) ready(ctx context.Context) error {
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	_, err := proc.Get(ctx, &http.Client{Transport: transport}, a.URL+"/readyz")
	return err
}

// Kill9 kills it without a chance to say goodbye to its watchers.
func (a *APIServer) Kill9() { a.process.Kill() }

// Restart starts it again with the same port and credentials, stopping it first
// if it runs, and waits until it serves.
func (a *APIServer) Restart(ctx context.Context) (err error) {
	if a.process != nil {
		a.process.Stop()
	}
	a.process, err = proc.Start(ctx, a.owner, a.spec)
	return err
}

// Process returns the running process, for signals and its log.
func (a *APIServer) Process() *proc.Process { return a.process }

// AdminConfig returns what a client needs to do anything at all.
func (a *APIServer) AdminConfig() *rest.Config { return a.config(a.Credentials.adminToken) }

func (a *APIServer) config(token string) *rest.Config {
	return &rest.Config{
		Host:            a.URL,
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: a.caFile},
		QPS:             -1, // a test is not to be slowed down by its own client
	}
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		panic(err) // the address came from a listener
	}
	return port
}
