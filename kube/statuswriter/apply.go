package statuswriter

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"my-company.com/staticsite-operator/decode"
	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/kube/observed"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// result is how a write ended.
type result struct {
	write   write
	outcome outcome
	err     error
	seen    *observed.Status // what the API server has since, if written
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

// apply makes one write, by a merge patch that replaces the whole status. It names
// the version that the write is based on, so that a leader that does not yet know
// that it was replaced, or one with an old view, cannot write over what is newer.
//
// Server-side apply would not do: however forced, it removes no field and no
// condition that somebody else has written.
func (w *Writer) apply(ctx context.Context, next write) result {
	if ctx.Err() != nil {
		return result{next, interrupted, ctx.Err(), nil}
	}
	status := next.want.SiteStatus().InObject(next.seen.Times(), time.Now())
	body, err := replacement(next.seen, status)
	if err != nil {
		return result{next, rejected, err, nil}
	}
	got, err := w.sites.Namespace(next.site.Namespace).Patch(ctx, next.site.Name, types.MergePatchType, body,
		metav1.PatchOptions{FieldManager: kube.FieldManager}, "status")
	if err != nil {
		return result{next, classify(ctx, err), err, nil}
	}
	seen := observed.Read(got.Object)
	seen.Listing = next.seen.Listing
	return result{next, written, nil, seen}
}

// statusFields are all fields of a status. A patch removes what it gives as null,
// and leaves what it does not name.
var statusFields = decode.FieldsOf(reflect.TypeFor[v1alpha1.StaticSiteStatus]())

// replacement is the body of a write: everything that is seen of a status gives way
// to the given one, but for the conditions of others, as far as there is room for them.
func replacement(seen *observed.Status, status v1alpha1.StaticSiteStatus) ([]byte, error) {
	given, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&status)
	if err != nil {
		return nil, err
	}
	fields := make(map[string]any, len(statusFields))
	for name := range statusFields {
		fields[name] = given[name]
	}
	if seen.Others != nil {
		ours, _ := given["conditions"].([]any)
		room := max(0, v1alpha1.MaxConditions-len(ours))
		fields["conditions"] = append(ours, seen.Others.Conditions[:min(room, len(seen.Others.Conditions))]...)
	}
	return json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": seen.Version},
		"status":   fields,
	})
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
