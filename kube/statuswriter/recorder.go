package statuswriter

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/sitestatus"

	corev1 "k8s.io/api/core/v1"

	eventsv1 "k8s.io/api/events/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

const (
	// mostPending bounds the transitions that wait to be written. It is enough for
	// all sites of a large cluster to become served at once; what is beyond it is
	// dropped, since the statuses have it all.
	mostPending = 1 << 15

	// seriesSpan is within which time a transition that happens again is one Event
	// with a count, at least. A site that goes to and fro has a few of them.
	seriesSpan = 6 * time.Minute

	eventController = "platform.my-company.com/" + kube.FieldManager
	mostNote        = 1024 // bytes; the API server takes no more
)

// recorder makes Events of transitions, one write at a time. It belongs to the
// status writer's goroutine, which lets it write while no status is to be written.
type recorder struct {
	events   dynamic.NamespaceableResourceInterface
	instance string // this replica
	log      *zap.Logger
	outage   kube.Outage

	pending []transition
	full    bool // and it was logged

	// recent are the Events of this span and the one before it.
	recent, former map[transition]*series
	turned         time.Time // when the span began
}

// series is one Event, and how often it was to be written.
type series struct {
	name  string
	count int32
}

func newRecorder(client dynamic.Interface, log *zap.Logger) *recorder {
	instance, err := os.Hostname()
	if err != nil {
		instance = kube.FieldManager // a name for people, and no reason not to start
	}
	return &recorder{
		events:   client.Resource(eventsv1.SchemeGroupVersion.WithResource("events")),
		instance: instance,
		log:      log,
		outage:   kube.Outage{Log: log, Lost: "cannot write events, dropping them", Back: "events are written again"},
		recent:   make(map[transition]*series),
	}
}

// add takes transitions that have happened.
func (r *recorder) add(all []transition) {
	for _, t := range all {
		if len(r.pending) < mostPending {
			r.pending = append(r.pending, t)
		} else if !r.full {
			r.full = true
			r.log.Warn("too many events wait to be written, dropping some", zap.Int("waiting", len(r.pending)))
		}
	}
}

// forget drops what waits: it is another replica's turn to write.
func (r *recorder) forget() { r.pending, r.full = nil, false }

// next returns how to write what is to be written next; ok is false if nothing is.
func (r *recorder) next(now time.Time) (do func(context.Context), ok bool) {
	if len(r.pending) == 0 {
		r.forget()
		return nil, false
	}
	t := r.pending[0]
	r.pending = r.pending[1:]
	s := r.seriesOf(t, now)
	s.count++
	return func(ctx context.Context) { r.outage.Note(ctx, r.write(ctx, t, *s, now)) }, true
}

func (r *recorder) seriesOf(t transition, now time.Time) *series {
	if now.Sub(r.turned) > seriesSpan {
		r.former, r.recent, r.turned = r.recent, make(map[transition]*series), now
	}
	s := r.recent[t]
	if s == nil {
		s = r.former[t]
	}
	if s == nil {
		s = &series{name: eventName(t.site.Name, now)}
	}
	r.recent[t] = s
	return s
}

// eventName is a name that no other Event has: the site's, as far as it fits.
func eventName(site string, now time.Time) string {
	suffix := fmt.Sprintf(".%x", now.UnixNano())
	const most = 253
	if len(site) > most-len(suffix) {
		site = strings.TrimRight(site[:most-len(suffix)], "-.")
	}
	return site + suffix
}

// write makes an Event, or says how often it has happened. One that is gone by
// now is made again.
func (r *recorder) write(ctx context.Context, t transition, s series, now time.Time) error {
	events := r.events.Namespace(t.site.Namespace)
	if s.count > 1 {
		patch, err := json.Marshal(map[string]any{
			"series": eventsv1.EventSeries{Count: s.count, LastObservedTime: metav1.NewMicroTime(now)},
		})
		if err != nil {
			return err
		}
		_, err = events.Patch(ctx, s.name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: kube.FieldManager})
		if !apierrors.IsNotFound(err) {
			return err
		}
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(r.event(t, s.name, now))
	if err != nil {
		return err
	}
	_, err = events.Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{FieldManager: kube.FieldManager})
	if apierrors.IsNotFound(err) || apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // the site goes with its namespace
	}
	return err
}

func (r *recorder) event(t transition, name string, now time.Time) *eventsv1.Event {
	severity := corev1.EventTypeNormal
	if t.trouble {
		severity = corev1.EventTypeWarning
	}
	return &eventsv1.Event{
		TypeMeta:            metav1.TypeMeta{APIVersion: eventsv1.SchemeGroupVersion.String(), Kind: "Event"},
		ObjectMeta:          metav1.ObjectMeta{Namespace: t.site.Namespace, Name: name},
		EventTime:           metav1.NewMicroTime(now),
		ReportingController: eventController,
		ReportingInstance:   r.instance,
		Type:                severity,
		Action:              t.action,
		Reason:              t.reason,
		Note:                sitestatus.Fit(t.note, mostNote),
		Regarding: corev1.ObjectReference{
			APIVersion: v1alpha1.GroupVersion.String(),
			Kind:       v1alpha1.Kind,
			Namespace:  t.site.Namespace,
			Name:       t.site.Name,
			UID:        types.UID(t.uid),
		},
	}
}
