// Command staticsite-operator is an Envoy control plane for static sites: it
// turns StaticSites into Envoy configuration and streams it to edge proxies.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "staticsite-operator:", err)
		os.Exit(1)
	}
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
	root.AddCommand(translateCommand(), lintCommand(), bootstrapCommand(), versionCommand())
	return root
}
