package source

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/kube"
	"my-company.com/staticsite-operator/object"

	corev1 "k8s.io/api/core/v1"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/latest"
)

// How often the API server is asked whether SiteDomainPolicy is installed, and
// how soon again if it does not say.
const (
	policyPoll  = 10 * time.Second
	policyRetry = time.Second
)

// policyKinds are watched only where policies are installed: a cluster without
// them needs no right to read namespaces.
var policyKinds = []watchedKind{
	{object.KindPolicy, v1alpha1.PolicyResource, ""},
	{object.KindNamespace, corev1.SchemeGroupVersion.WithResource("namespaces"), ""},
}

// policyWatch follows policies, and the labels of namespaces, which only they
// read. The kind may be installed and removed while it runs.
type policyWatch struct {
	source *Source
	outage *kube.Outage

	known chan struct{} // closed once it is certain that there are no policies, or all are put
	tell  sync.Once     // closes known

	// The rest is run's.
	session *policySession // nil while the kind is not installed
	missing bool           // it was not there when last asked for
}

// policySession is a time in which the kind is installed.
type policySession struct {
	informers *informers
	stop      context.CancelFunc
	running   sync.WaitGroup
}

func newPolicyWatch(s *Source) *policyWatch {
	return &policyWatch{
		source: s,
		outage: &kube.Outage{
			Log:   s.log.With(zap.String("resource", v1alpha1.PolicyResource.GroupResource().String())),
			Lost:  "cannot find out whether the kind is installed, going by what is known",
			Never: "cannot find out whether the kind is installed, and nothing is served before that is known",
			Known: &s.read,
			Back:  "found out whether the kind is installed",
		},
		known: make(chan struct{}),
	}
}

// wait returns when it is certain which policies there are; false if ctx ended
// before.
func (p *policyWatch) wait(ctx context.Context) bool {
	select {
	case <-p.known:
		return true
	case <-ctx.Done():
		return false
	}
}

// run works until ctx ends. An API server that does not answer is no answer:
// only one that says so makes policies go.
func (p *policyWatch) run(ctx context.Context) error {
	for {
		pause := p.source.policyPoll
		installed, err := p.installed(ctx)
		p.outage.Note(ctx, err)
		if err != nil {
			pause = min(pause, policyRetry)
		} else if sure, err := p.follow(ctx, installed); err != nil {
			return err
		} else if !sure && p.session == nil {
			pause = min(pause, policyRetry) // Nothing is served before it is known.
		}
		select {
		case <-ctx.Done():
			if p.session != nil {
				p.session.running.Wait()
			}
			return nil
		case <-time.After(pause):
		}
	}
}

// installed asks the API server, which tells everybody who may ask it anything.
func (p *policyWatch) installed(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, policyPoll)
	defer cancel()
	var list metav1.APIResourceList
	err := p.source.discovery.Get().AbsPath("/apis", v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version).Do(ctx).Into(&list)
	if apierrors.IsNotFound(err) {
		return false, nil // not even StaticSites are there
	}
	isPolicy := func(r metav1.APIResource) bool { return r.Name == v1alpha1.PolicyResource.Resource }
	return slices.ContainsFunc(list.APIResources, isPolicy), err
}

// follow starts or ends a session, and reports whether it did what the answer asks
// for. That the kind is not there is believed when it is said twice: an API server
// that has just started may be late to know that it is.
func (p *policyWatch) follow(ctx context.Context, installed bool) (sure bool, err error) {
	switch {
	case installed && p.session == nil:
		p.source.log.Info("domain policies are in force: SiteDomainPolicy is installed")
		return true, p.begin(ctx)
	case installed:
		p.missing = false
	case !p.missing:
		p.missing = true
		return false, nil
	case p.session == nil:
		p.tell.Do(func() { close(p.known) })
	default:
		p.source.log.Info("every namespace may claim every domain: SiteDomainPolicy is not installed any more")
		p.end()
	}
	return true, nil
}

// begin watches policies and namespaces. They are put all at once: of a few
// policies without the others, or without the namespaces that they select, the
// meaning is another.
func (p *policyWatch) begin(ctx context.Context) error {
	arrived := latest.New[object.Ref, object.Object]()
	informers, err := p.source.newInformers(policyKinds, arrived)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	p.session, p.missing = &policySession{informers: informers, stop: stop}, false
	p.session.running.Go(func() { informers.run(ctx) })
	p.session.running.Go(func() {
		if !informers.wait(ctx, "the domain policies of the cluster") {
			return
		}
		p.source.arrived.PutAll(arrived.Take())
		p.tell.Do(func() { close(p.known) })
		forward(ctx, arrived, p.source.arrived.PutAll)
	})
	return nil
}

// end takes back what the session has put.
func (p *policyWatch) end() {
	p.session.stop()
	p.session.running.Wait()
	p.source.arrived.PutAll(p.session.informers.gone())
	p.session = nil
	p.tell.Do(func() { close(p.known) })
}
