package operator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// Options say what to start. What is empty is left to the program's default,
// unless it says otherwise.
type Options struct {
	// Name is what errors and log files are called by; "staticsite-operator" if
	// empty.
	Name string
	// Sites is a folder of YAML. Kubeconfig is a file: a cluster.
	Sites      string
	Kubeconfig string
	// XDSAddress, HealthAddress are host:port; a free port of 127.0.0.1 if empty. At
	// an XDSAddress of another host plaintext is accepted; it may be 0: nowhere.
	XDSAddress    string
	HealthAddress string
	// HTTPPort is where Envoy serves.
	HTTPPort int
	// AllowEndpoints are ranges (CIDR) that are refused by default.
	AllowEndpoints []string
	// Args are added to the command line.
	Args []string
	// Env is added to the environment.
	Env []string
	// Path is the binary; the one that `make build` builds if empty.
	Path string
	// Enter, if set, prepares the thread that starts it; see proc.Spec.
	Enter func() error
	// Line, if set, gets each log line as well; see proc.Spec.
	Line func([]byte)
}

func (o Options) args() []string {
	args := []string{
		"--xds-bind-address=" + o.XDSAddress,
		"--health-probe-bind-address=" + o.HealthAddress,
		"--zap-encoder=json",
	}
	if host, _, err := net.SplitHostPort(o.XDSAddress); err == nil && !net.ParseIP(host).IsLoopback() {
		args = append(args, "--xds-insecure")
	}
	if o.Sites != "" {
		args = append(args, "--sites="+o.Sites)
	}
	if o.Kubeconfig != "" {
		args = append(args, "--kubeconfig="+o.Kubeconfig)
	}
	if o.HTTPPort != 0 {
		args = append(args, "--http-port="+strconv.Itoa(o.HTTPPort))
	}
	for _, cidr := range o.AllowEndpoints {
		args = append(args, "--allow-endpoint-cidr="+cidr)
	}
	return append(args, o.Args...)
}

// BootstrapOptions say for whom a bootstrap is.
type BootstrapOptions struct {
	// XDSAddress is where Envoy finds the server, host:port.
	XDSAddress string
	// NodeID is Envoy's name in the server's log.
	NodeID string
	// AdminPort is the port of Envoy's admin interface on loopback; a free one if
	// zero (which to the program means none).
	AdminPort int
	// SOTW asks for the state of the world instead of delta.
	SOTW bool
	// Args are added to the command line.
	Args []string
}

// Bootstrap returns the Envoy bootstrap that the program renders.
func Bootstrap(ctx context.Context, options BootstrapOptions) (string, error) {
	binary, err := parts.Operator()
	if err != nil {
		return "", err
	}
	if options.AdminPort == 0 {
		if options.AdminPort, err = proc.FreePort("127.0.0.1"); err != nil {
			return "", err
		}
	}
	args := []string{
		"bootstrap",
		"--xds-address=" + options.XDSAddress,
		"--admin-port=" + strconv.Itoa(options.AdminPort),
	}
	if options.NodeID != "" {
		args = append(args, "--node-id="+options.NodeID)
	}
	if options.SOTW {
		args = append(args, "--protocol=sotw")
	}
	out, err := exec.CommandContext(ctx, binary, append(args, options.Args...)...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("render a bootstrap: %w: %s", err, exit.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("render a bootstrap: %w", err)
	}
	return string(out), nil
}
