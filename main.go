// Command staticsite-operator is an Envoy control plane for static sites: it
// turns StaticSites into Envoy configuration and streams it to edge proxies.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	defer stop()
	err := command().ExecuteContext(ctx)
	if err == nil {
		return
	}
	ends := exit{1, err}
	errors.As(err, &ends)
	if ends.err != nil {
		fmt.Fprintln(os.Stderr, "staticsite-operator:", ends.err)
	}
	os.Exit(ends.code)
}

// endings are the signals after which the program ends in order. That a terminal
// went away is one, unless whoever started the program said otherwise (nohup).
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// command is the command line. Serving is the default command, as the first
// design had it.
func command() *cobra.Command {
	root := serveCommand()
	root.Use = "staticsite-operator"
	root.Short = "Serve static sites' configuration to Envoy proxies over ADS"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Args = func(cmd *cobra.Command, args []string) error { return helped(cmd, cobra.NoArgs(cmd, args)) }
	root.SetFlagErrorFunc(helped)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(translateCommand(), lintCommand(), explainCommand(), bootstrapCommand(), versionCommand())
	return root
}

// helped adds to a mistake on the command line where to look.
func helped(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
}

// onePath says that a command takes one folder or file.
func onePath(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s: write one folder or file, not %d", cmd.Name(), len(args))
	}
	return nil
}
