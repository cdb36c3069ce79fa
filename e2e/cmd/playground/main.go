package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"my-company.com/staticsite-operator/e2e/backend"
	"my-company.com/staticsite-operator/e2e/envoy"
	"my-company.com/staticsite-operator/e2e/operator"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// startTimeout bounds what takes a second on an idle machine.
const startTimeout = time.Minute

func main() {
	settings, err := parseFlags(os.Args[1:])
	if errors.Is(err, errHelp) {
		return
	}
	if err != nil {
		os.Exit(2) // the flag package has said what is wrong
	}
	// A closed terminal and a kill mean the same as Ctrl-C.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		<-signals
		fmt.Println("\nstopping; Ctrl-C again to kill")
		stop()
		<-signals
		os.Exit(130) // the kernel kills the children with us
	}()
	if err := play(ctx, settings, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "playground: "+err.Error())
		os.Exit(1)
	}
}

// play runs everything until ctx ends (nil) or something else does (an error), and
// leaves no process behind.
func play(ctx context.Context, s settings, out io.Writer) (err error) {
	program, err := proc.NewProgram("playground")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.End()) }()

	world, err := check(s)
	if err != nil {
		return err
	}
	err = start(ctx, program, s, world, out)
	if err != nil && ctx.Err() != nil {
		return nil // interrupted while it started
	}
	return err
}

// check returns what is to be served, or the first reason why that cannot work, so
// that nothing is started in vain.
func check(s settings) (*world, error) {
	if _, err := parts.Envoy(); err != nil {
		return nil, err
	}
	if _, err := parts.Operator(); err != nil {
		return nil, err
	}
	world, err := readWorld(s.sites)
	if err != nil {
		return nil, err
	}
	return world, checkPorts(s.addresses(world))
}

// start starts the parts, each ready before the next, says where the sites are, and
// waits for the end.
func start(ctx context.Context, program *proc.Program, s settings, world *world, out io.Writer) error {
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for _, pod := range world.pods(s.pages) {
		if _, err := backend.Start(program, pod); err != nil {
			return err
		}
	}
	changes := &changes{out: out, port: s.httpPort, now: time.Now}
	server, err := operator.Start(starting, program, operator.Options{
		Sites:          s.sites,
		XDSAddress:     s.xdsAddress(),
		HealthAddress:  s.healthAddress(),
		HTTPPort:       s.httpPort,
		AllowEndpoints: []string{"127.0.0.0/8"}, // the backend is on this machine
		Line:           changes.line,
	})
	if err != nil {
		return err
	}
	bootstrap, err := operator.Bootstrap(starting, operator.BootstrapOptions{
		XDSAddress: s.xdsAddress(),
		AdminPort:  s.adminPort,
		NodeID:     "playground",
	})
	if err != nil {
		return err
	}
	proxy, err := envoy.Start(starting, program, envoy.Options{Bootstrap: bootstrap, LogLevel: "error"})
	if err != nil {
		return err
	}
	greet(out, s, world, program.ArtifactDir())
	changes.show()

	select {
	case <-ctx.Done():
		return nil
	case <-server.Process().Done():
		return ended(server.Process())
	case <-proxy.Process().Done():
		return ended(proxy.Process())
	}
}

// ended says that a part ended that should not have.
func ended(p *proc.Process) error {
	how := "exit status 0"
	if err := p.Err(); err != nil {
		how = err.Error()
	}
	return fmt.Errorf("%s ended by itself (%s); its last lines:\n%s", p.Name(), how, p.Tail())
}

// greet says where everything is.
func greet(out io.Writer, s settings, world *world, logs string) {
	fmt.Fprintf(out, "\nEnvoy serves the sites in %s:\n\n", s.sites)
	for _, site := range world.sites {
		fmt.Fprintf(out, "  %-32s %s\n", siteURL(site.domain(), s.httpPort), site.name())
	}
	if len(world.sites) == 0 {
		fmt.Fprintln(out, "  (none yet: every request is answered with 404)")
	}
	fmt.Fprintf(out, "\nEnvoy's own view: http://127.0.0.1:%d. The server's: grpcurl -plaintext %s list.\n", s.adminPort, s.xdsAddress())
	fmt.Fprintf(out, "Logs, while this runs: %s\n", logs)
	fmt.Fprint(out, "Add, edit or delete a file in that folder and watch. Ctrl-C ends it.\n\n")
}

// siteURL returns what to type into a browser.
func siteURL(domain string, port int) string {
	if port == 80 {
		return "http://" + domain
	}
	return "http://" + domain + ":" + strconv.Itoa(port)
}
