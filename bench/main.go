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
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the command line: without a word, everything is measured; with one, this
// process is a part of that.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "serve":
			return serve(ctx, args[1:])
		case "prepare":
			return prepare(args[1:])
		case "watch":
			return watchProxy(ctx, args[1:])
		}
	}
	return measure(ctx, args)
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

func prepare(args []string) error {
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
