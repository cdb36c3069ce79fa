package gather

import (
	"context"

	"my-company.com/staticsite-operator/explain"
	"my-company.com/staticsite-operator/files"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
)

// Sources are where facts are.
type Sources struct {
	Servers    []string // HOST:PORT of each
	Folder     string   // of objects; empty: they are a cluster's
	Kubeconfig string   // how to reach the cluster; empty: as kubectl would, or as a pod does
}

// Facts reads all that there is to know about a target. Options are those that the
// servers are believed to have. The error is about the folder.
func Facts(ctx context.Context, target explain.Target, options translate.Options, from Sources) (explain.Facts, error) {
	facts := explain.Facts{Target: target, Options: options}
	for _, address := range from.Servers {
		facts.Servers = append(facts.Servers, explain.Server{Address: address})
	}
	if from.Folder == "" {
		fromCluster(ctx, &facts, from.Kubeconfig)
	} else if err := fromFolder(&facts, from.Folder); err != nil {
		return facts, err
	}
	fromServers(ctx, &facts)
	return facts, nil
}

// fromFolder reads all objects of a folder.
func fromFolder(facts *explain.Facts, folder string) error {
	facts.Source = "the folder " + folder
	loaded, err := files.Load(folder)
	if err != nil {
		return err
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
