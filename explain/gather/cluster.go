package gather

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/dynamic"

	"my-company.com/staticsite-operator/explain"
	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/kube/lookup"
	"my-company.com/staticsite-operator/object"
)

// readTimeout is how long reading a cluster's objects may take.
const readTimeout = 30 * time.Second

// fromCluster reads a cluster that is reached by a kubeconfig. What cannot be read is
// a fact too.
func fromCluster(ctx context.Context, facts *explain.Facts, kubeconfig string) {
	facts.Source = "the cluster"
	config, err := kube.Connect(kubeconfig)
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
	look(ctx, facts, lookup.New(client, config.Host))
}

// look reads the sites that claim the domain, and the Service of the one that is
// explained.
func look(ctx context.Context, facts *explain.Facts, found *lookup.Lookup) {
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
