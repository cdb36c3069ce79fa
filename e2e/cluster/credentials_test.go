package cluster

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

func testServiceAccount(t *testing.T, ctx context.Context, c *Cluster) {
	must(t, c.ApplyYAML(ctx, `
{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader, namespace: default}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader, namespace: default},
 rules: [{apiGroups: [""], resources: [configmaps], verbs: [get]}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reader, namespace: default},
 roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader},
 subjects: [{kind: ServiceAccount, name: reader, namespace: default}]}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: page, namespace: default}, data: {title: hello}}
`))
	config, err := c.APIServer.ServiceAccountConfig(ctx, "default", "reader")
	must(t, err)
	reader, err := dynamic.NewForConfig(config)
	must(t, err)
	maps := reader.Resource(configMaps).Namespace("default")
	_, err = maps.Get(ctx, "page", metav1.GetOptions{})
	must(t, err)
	if err := maps.Delete(ctx, "page", metav1.DeleteOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("a reader may delete: %v", err)
	}

	token, err := TokenID(config)
	must(t, err)
	requests, err := c.APIServer.Requests()
	must(t, err)
	var got []Request
	for _, request := range requests {
		if request.User == "system:serviceaccount:default:reader" {
			got = append(got, request)
		}
	}
	want := []Request{
		{User: "system:serviceaccount:default:reader", Token: token, Verb: "get", Resource: "configmaps", Object: "default/page", Code: 200},
		{User: "system:serviceaccount:default:reader", Token: token, Verb: "delete", Resource: "configmaps", Object: "default/page", Code: 403},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("audit log: %+v, want %+v", got, want)
	}
	if got[0].IsWrite() || !got[1].IsWrite() {
		t.Error("get is a write, or delete is none")
	}
}
