package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/spf13/cobra"

	"my-company.com/staticsite-operator/explain"
	"my-company.com/staticsite-operator/explain/gather"
)

// explainFlags are the flags of explain.
type explainFlags struct {
	translateFlags
	sites, kubeconfig string
	servers           []string
	output            string
}

func explainCommand() *cobra.Command {
	var flags explainFlags
	cmd := &cobra.Command{
		Use:   "explain URL|HOST|NAMESPACE/NAME",
		Short: "Say who answers for a domain, and what to do if nobody does",
		Long: "Say who holds a domain, which conditions hold, which route, cluster and endpoints answer,\n" +
			"which proxies have acknowledged what, and the one next thing to do.\n\n" +
			"It asks servers what their proxies have (--server), and reads StaticSites, the Service and its\n" +
			"EndpointSlices from a cluster or a folder (--sites). What it cannot reach, it says, and explains the rest.\n\n" +
			"Exits with 0 if every serving proxy has it, 1 if something is missing, 2 if it could not be asked so\n" +
			"or nothing could be read.",
		Args: cobra.MatchAll(func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit{2, fmt.Errorf("explain: write one thing to explain: %s", explain.Targets)}
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			facts, err := flags.gather(cmd.Context(), args[0])
			if err != nil {
				return exit{2, fmt.Errorf("explain: %w", err)}
			}
			explanation := explain.Explain(facts)
			text := explanation.Text()
			if flags.output == "json" {
				encoded, err := json.MarshalIndent(explanation, "", "  ")
				if err != nil {
					return err
				}
				text = string(encoded) + "\n"
			}
			if _, err := fmt.Fprint(cmd.OutOrStdout(), text); err != nil {
				return err
			}
			return exitOf(facts, explanation)
		},
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return exit{2, helped(cmd, err)} })
	f := cmd.Flags()
	flags.translateFlags.add(f)
	f.StringSliceVar(&flags.servers, "server", []string{"127.0.0.1:9000"}, "where a server listens for proxies, HOST:PORT; repeatable, for several replicas")
	f.StringVar(&flags.sites, "sites", "", "explain the objects in this folder instead of a cluster's")
	f.StringVar(&flags.kubeconfig, "kubeconfig", "", "how to reach the cluster; empty: as kubectl would, or as a pod does")
	f.StringVarP(&flags.output, "output", "o", "text", "text or json")
	return cmd
}

func exitOf(facts explain.Facts, e *explain.Explanation) error {
	unasked := func(s explain.Server) bool { return s.Error != "" }
	switch {
	case e.Served:
		return nil
	case facts.Unread != "" && !slices.ContainsFunc(facts.Servers, func(s explain.Server) bool { return !unasked(s) }):
		return exit{code: 2}
	}
	return exit{code: 1}
}

// gather checks how it was asked, which the error is about, and reads all that there is
// to know about a target.
func (f *explainFlags) gather(ctx context.Context, asked string) (explain.Facts, error) {
	target, err := explain.ParseTarget(asked)
	if err != nil {
		return explain.Facts{}, err
	}
	if err := oneOf("--output", f.output, "text", "json"); err != nil {
		return explain.Facts{}, err
	}
	if f.sites != "" && f.kubeconfig != "" {
		return explain.Facts{}, errors.New("--sites explains a folder without a cluster: leave out --kubeconfig")
	}
	options, err := f.options()
	if err != nil {
		return explain.Facts{}, err
	}
	for _, address := range f.servers {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return explain.Facts{}, fmt.Errorf("--server=%s: write HOST:PORT, such as 127.0.0.1:9000", address)
		}
	}
	facts, err := gather.Facts(ctx, target, options, gather.Sources{Servers: f.servers, Folder: f.sites, Kubeconfig: f.kubeconfig})
	if err != nil {
		return facts, fmt.Errorf("--sites=%s: %w", f.sites, err)
	}
	return facts, nil
}
