package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"

	"my-company.com/staticsite-operator/explain"
	"my-company.com/staticsite-operator/files"
	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/kube/lookup"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// readTimeout is how long reading a cluster's objects may take.
const readTimeout = 30 * time.Second

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

// gather reads all that there is to know about a target. The error is about how
// it was asked.
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
	facts := explain.Facts{Target: target}
	if facts.Options, err = f.options(); err != nil {
		return facts, err
	}
	for _, address := range f.servers {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return facts, fmt.Errorf("--server=%s: write HOST:PORT, such as 127.0.0.1:9000", address)
		}
		facts.Servers = append(facts.Servers, explain.Server{Address: address})
	}
	if f.sites != "" {
		err = readFolder(&facts, f.sites)
	} else {
		f.readCluster(ctx, &facts)
	}
	if err == nil {
		askServers(ctx, &facts)
	}
	return facts, err
}

// readFolder reads all objects of a folder.
func readFolder(facts *explain.Facts, folder string) error {
	facts.Source = "the folder " + folder
	loaded, err := files.Load(folder)
	if err != nil {
		return fmt.Errorf("--sites=%s: %w", folder, err)
	}
	facts.Objects = loaded.Objects
	for _, read := range loaded.Objects {
		if site, ok := read.(*object.Site); ok {
			facts.Known = append(facts.Known, explain.Neighbour{Domain: site.Domain, Site: site.Key})
		}
	}
	for _, p := range loaded.Problems {
		facts.Notes = append(facts.Notes, p.Error())
	}
	return nil
}

// readCluster reads the sites that claim the domain, and the Service of the one
// that is explained. What cannot be read is a fact too.
func (f *explainFlags) readCluster(ctx context.Context, facts *explain.Facts) {
	facts.Source = "the cluster"
	config, err := kube.Connect(f.kubeconfig)
	if err != nil {
		facts.Unread = fmt.Sprintf("%v (or name a folder with --sites)", err)
		return
	}
	facts.Source = "the cluster at " + config.Host
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		facts.Unread = fmt.Sprintf("connect to the cluster: %v", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	found := lookup.New(client, config.Host)
	facts.Objects, facts.Statuses = found.Objects, found.Statuses
	if site := facts.Target.Site; site != (object.Key{}) {
		if err := found.Site(ctx, site); err != nil {
			facts.Unread = err.Error()
			return
		}
	}
	if domain := facts.Domain(); domain != "" {
		if err := found.SitesOf(ctx, domain); err != nil && len(facts.Objects) == 0 {
			facts.Unread = err.Error()
			return
		} else if err != nil {
			facts.Notes = append(facts.Notes, "who else claims "+domain+" is not known: "+err.Error())
		}
	}
	if err := found.Policies(ctx); err != nil {
		facts.Notes = append(facts.Notes, "what SiteDomainPolicies permit is not known: "+err.Error())
	}
	for site, domain := range found.Others {
		facts.Known = append(facts.Known, explain.Neighbour{Domain: domain, Site: site})
	}
	if service, ok := facts.Service(); ok {
		if err := found.Backend(ctx, service); err != nil {
			facts.BackendUnread = "Service " + service.String() + " and its endpoints were not read: " + err.Error()
		}
	}
}

// askServers asks every server for the routes of the domain, and then for the
// cluster that these lead to: what a proxy has may differ from what it should.
func askServers(ctx context.Context, facts *explain.Facts) {
	domain := facts.Domain()
	if domain == "" {
		return
	}
	for i := range facts.Servers {
		server := &facts.Servers[i]
		proxies, err := askServer(ctx, server.Address, translate.RouteNames(domain))
		if err != nil {
			server.Error = err.Error()
			continue
		}
		facts.Proxies = append(facts.Proxies, proxies...)
	}
	clusters := facts.Clusters()
	if len(clusters) == 0 {
		return
	}
	for i := range facts.Servers {
		server := &facts.Servers[i]
		if server.Error != "" {
			continue
		}
		proxies, err := askServer(ctx, server.Address, clusters)
		if err != nil {
			server.Error = err.Error()
			continue
		}
		for _, p := range proxies {
			same := func(o explain.Proxy) bool { return o.Server == p.Server && o.Address == p.Address && o.Node == p.Node }
			if i := slices.IndexFunc(facts.Proxies, same); i >= 0 {
				facts.Proxies[i].Holdings = append(facts.Proxies[i].Holdings, p.Holdings...)
			}
		}
	}
}
