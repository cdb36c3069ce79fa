package cluster

import (
	"context"

	"my-company.com/staticsite-operator/e2e/proc"
)

// Cluster is an API server on an etcd, with a client that may do anything.
type Cluster struct {
	Etcd      *Etcd
	APIServer *APIServer
	*Client
}

// Start starts both parts, empty, and waits until they serve; owner's end stops
// them. It takes about 5 seconds.
func Start(ctx context.Context, owner proc.Owner) (*Cluster, error) {
	etcd, err := StartEtcd(ctx, owner)
	if err != nil {
		return nil, err
	}
	server, err := StartAPIServer(ctx, owner, etcd.URL, Options{})
	if err != nil {
		return nil, err
	}
	client, err := NewClient(server.AdminConfig())
	if err != nil {
		return nil, err
	}
	return &Cluster{Etcd: etcd, APIServer: server, Client: client}, nil
}
