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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
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

// command is the command line. Serving is the default command, as the first
// design had it.
func command() *cobra.Command {
	root := serveCommand()
	root.Use = "staticsite-operator"
	root.Short = "Serve static sites' configuration to Envoy proxies over ADS"
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Args = cobra.NoArgs
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(translateCommand(), lintCommand(), explainCommand(), bootstrapCommand(), versionCommand())
	return root
}
