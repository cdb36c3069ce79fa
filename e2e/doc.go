// Package e2e tests the program on real parts, from outside: a real Kubernetes
// API server with etcd, a real Envoy, and the binary that `make build` builds.
//
//	cluster_*_test.go   sites in a cluster: from kubectl apply to the proxy and back to the status
//	edge_*_test.go      sites in a folder, and what proxies make of them while things change, break or fail
//
// It has nothing but tests. What they start the parts with is in the packages
// below it; what several of them use is in harness_test.go.
package e2e
