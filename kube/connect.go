package kube

import (
	"errors"
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// FieldManager is who this program is in the eyes of the API server: the owner of
// the fields that it writes.
const FieldManager = "staticsite-operator"

// Connect returns how to reach the API server: by the given kubeconfig file, or
// else as kubectl would ($KUBECONFIG, then ~/.kube/config), or else as a pod of
// the cluster does. Nothing is sent yet.
func Connect(kubeconfig string) (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("find the API server: there is no kubeconfig ($KUBECONFIG, ~/.kube/config), and this is no pod: write --kubeconfig=FILE")
	}
	if err != nil {
		return nil, fmt.Errorf("find the API server: %w", err)
	}
	config.UserAgent = FieldManager
	config.QPS = -1 // what is under way at once is bounded instead, see statuswriter.Writer
	return config, nil
}
