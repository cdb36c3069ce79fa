// Command bench measures our server beside its peers, in the same run and on the
// same machine, and says which of its targets are reached. See
// docs/performance.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"my-company.com/staticsite-operator/bench/server"
	"my-company.com/staticsite-operator/e2e/netns"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	args := os.Args[1:]
	if len(args) > 0 && roles[args[0]] != nil {
		os.Exit(code(roles[args[0]](ctx, args[1:])))
	}
	os.Exit(netns.Run(func() int { return code(measure(ctx, args)) }))
}

// roles are what this process may be, by its first argument, instead of measuring:
// a part of what is measured.
var roles = map[string]func(context.Context, []string) error{"serve": serve, "prepare": prepare, "watch": watchProxy}

// code says what went wrong, if anything, and returns the exit code.
func code(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	return 1
}

func specFlags(f *flag.FlagSet) *server.Spec {
	spec := new(server.Spec)
	f.StringVar((*string)(&spec.Kind), "kind", "", "which server")
	f.IntVar(&spec.Sites, "sites", 0, "how many sites")
	f.BoolVar(&spec.Sotw, "sotw", false, "state of the world")
	f.BoolVar(&spec.Single, "single", false, "all routes in one resource")
	return spec
}

// specArgs is the opposite of specFlags.
func specArgs(s server.Spec) []string {
	return []string{
		"-kind=" + string(s.Kind), fmt.Sprintf("-sites=%d", s.Sites),
		fmt.Sprintf("-sotw=%t", s.Sotw), fmt.Sprintf("-single=%t", s.Single),
	}
}

func serve(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("serve", flag.ContinueOnError)
	spec := specFlags(f)
	prepared := f.String("prepared", "", "the file with what the floor sends")
	address := f.String("address", "", "where proxies connect")
	control := f.String("control", "", "where this process is told what to do")
	if err := f.Parse(args); err != nil {
		return err
	}
	return server.Main(ctx, *spec, *prepared, *address, *control)
}

func prepare(_ context.Context, args []string) error {
	f := flag.NewFlagSet("prepare", flag.ContinueOnError)
	spec := specFlags(f)
	file := f.String("file", "", "where to")
	if err := f.Parse(args); err != nil {
		return err
	}
	size, err := server.Prepare(*spec, *file)
	fmt.Println(size)
	return err
}
