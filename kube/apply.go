package kube

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// FieldManager owns the fields of a status in the eyes of the API server.
const FieldManager = "staticsite-operator"

// result is how a write ended.
type result struct {
	write   write
	outcome outcome
	err     error
	seen    *observation // what the API server has since, if written
}

type outcome uint8

const (
	written     outcome = iota
	vanished            // the site is gone
	conflict            // the object has changed since it was seen
	rejected            // the API server will not have this status
	interrupted         // the term ended meanwhile; the write may have been made
	unavailable         // no answer, or none that is about this site
)

// apply makes one write, by server-side apply. It names the version that the
// write is based on, so that a leader that does not yet know that it was
// replaced, or one with an old view, cannot write over what is newer.
func (w *StatusWriter) apply(ctx context.Context, next write) result {
	if ctx.Err() != nil {
		return result{next, interrupted, ctx.Err(), nil}
	}
	status := Status(next.want.status(), next.seen.conditions(), time.Now())
	object, err := applied(next, status)
	if err != nil {
		return result{next, rejected, err, nil}
	}
	got, err := w.sites.Namespace(next.site.Namespace).Apply(ctx, next.site.Name, object,
		metav1.ApplyOptions{FieldManager: FieldManager, Force: true}, "status")
	if err != nil {
		return result{next, classify(ctx, err), err, nil}
	}
	seen := &observation{summary: next.want, version: got.GetResourceVersion()}
	for i, c := range status.Conditions {
		seen.since[i] = c.LastTransitionTime.Unix()
	}
	return result{next, written, nil, seen}
}

// applied is the body of a write.
func applied(next write, status v1alpha1.StaticSiteStatus) (*unstructured.Unstructured, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return nil, err
	}
	if len(next.want.domains) == 0 && len(next.seen.domains) > 0 {
		// To leave a field out gives up only what is ours: domains that somebody else
		// wrote would stay, as the record of a claim that nobody has.
		fields["domains"] = []any{}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(),
		"kind":       v1alpha1.Kind,
		"metadata": map[string]any{
			"namespace":       next.site.Namespace,
			"name":            next.site.Name,
			"resourceVersion": next.seen.version,
		},
		"status": fields,
	}}, nil
}

func classify(ctx context.Context, err error) outcome {
	switch {
	case apierrors.IsNotFound(err):
		return vanished
	case apierrors.IsConflict(err):
		return conflict
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return rejected
	case context.Cause(ctx) == context.Canceled:
		return interrupted
	default:
		return unavailable
	}
}
