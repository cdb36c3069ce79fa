package kube

import (
	"maps"
	"reflect"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate"
)

// The readers below cut an object down to what translation reads. They judge
// presence and type only: whether a domain is a host name or a port in range is
// translation's to say, for objects of every source alike.

func readSite(f field, key translate.Key) translate.Object {
	metadata, spec := f.at("metadata"), f.need("spec")
	domain, backend := spec.need("domain"), spec.need("backend")
	return &translate.Site{
		Key:        key,
		UID:        metadata.at("uid").text(),
		Generation: metadata.at("generation").long(),
		Created:    readTime(metadata.at("creationTimestamp")),
		Domain:     domain.text(),
		Service:    backend.need("serviceName").text(),
		Port:       backend.need("servicePort").number(),
		Held:       readTexts(f.at("status").at("domains")),
		Features:   readFeatures(spec),
	}
}

// readFeatures reads a specification's features as a whole, nil if there are none: it
// knows no field by name, so none can be forgotten here.
func readFeatures(spec field) *v1alpha1.SiteFeatures {
	root, ok := spec.value.(map[string]any)
	if !ok {
		return nil // reported by whoever reads the fields that every site has
	}
	features := new(v1alpha1.SiteFeatures)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(root, features); err != nil {
		spec.report(spec.path, err.Error())
	}
	if reflect.ValueOf(features).Elem().IsZero() {
		return nil
	}
	return features
}

func readService(f field, key translate.Key) translate.Object {
	spec := f.need("spec")
	service := &translate.Service{Key: key, Type: spec.at("type").text(), Headless: isHeadless(spec)}
	if families := spec.at("ipFamilies").list(); len(families) > 0 {
		service.IPv6 = families[0].text() == "IPv6"
	}
	for _, port := range spec.at("ports").list() {
		target, named := readTarget(port.at("targetPort"))
		service.Ports = append(service.Ports, translate.ServicePort{
			Name:        port.at("name").text(),
			Port:        port.need("port").number(),
			Target:      target,
			NamedTarget: named,
			Protocol:    port.at("protocol").text(),
			AppProtocol: port.at("appProtocol").text(),
		})
	}
	return service
}

// isHeadless reports whether a Service has no address of its own. The API server
// writes both fields where a person wrote one.
func isHeadless(spec field) bool {
	addresses := readTexts(spec.at("clusterIPs"))
	return spec.at("clusterIP").text() == corev1.ClusterIPNone || len(addresses) > 0 && addresses[0] == corev1.ClusterIPNone
}

// readTarget reads a targetPort: a number, or the name of a port of containers.
func readTarget(f field) (number int32, named bool) {
	if name, isText := f.value.(string); isText {
		return 0, name != ""
	}
	return f.number(), false
}

func readSlice(f field, key translate.Key) translate.Object {
	slice := &translate.Slice{
		Key:         key,
		Service:     readLabel(f, discoveryv1.LabelServiceName),
		AddressType: f.need("addressType").text(),
	}
	for _, port := range f.at("ports").list() {
		slice.Ports = append(slice.Ports, translate.SlicePort{
			Name:        port.at("name").text(),
			Port:        port.at("port").number(), // Absent it means all ports, and so none in particular.
			Protocol:    port.at("protocol").text(),
			AppProtocol: port.at("appProtocol").text(),
		})
	}
	for _, endpoint := range f.at("endpoints").list() {
		addresses := readTexts(endpoint.need("addresses"))
		if len(addresses) == 0 {
			continue // reported, or an endpoint that nobody can reach
		}
		conditions := endpoint.at("conditions")
		ready, serving := conditions.at("ready").truth(true), conditions.at("serving").truth(true)
		slice.Endpoints = append(slice.Endpoints, translate.Endpoint{
			Address:  addresses[0],
			Ready:    ready,
			Draining: !ready && serving && conditions.at("terminating").truth(false),
			Zone:     endpoint.at("zone").text(),
		})
	}
	return slice
}

func readPolicy(f field, key translate.Key) translate.Object {
	spec := f.need("spec")
	policy := &translate.Policy{
		Key:      key,
		Mode:     spec.need("mode").text(),
		Selector: readSelector(spec.need("namespaceSelector")),
	}
	for _, match := range spec.need("domains").list() {
		policy.Domains = append(policy.Domains, translate.DomainMatch{
			Exact:  match.at("exact").text(),
			Suffix: match.at("suffix").text(),
		})
	}
	return policy
}

func readSelector(f field) metav1.LabelSelector {
	selector := metav1.LabelSelector{MatchLabels: readMap(f.at("matchLabels"))}
	for _, expression := range f.at("matchExpressions").list() {
		selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{
			Key:      expression.need("key").text(),
			Operator: metav1.LabelSelectorOperator(expression.need("operator").text()),
			Values:   readTexts(expression.at("values")),
		})
	}
	return selector
}

func readNamespace(f field, key translate.Key) translate.Object {
	return &translate.Namespace{Key: key, Labels: readMap(f.at("metadata").at("labels"))}
}

// readLabel reads one label, whose name may have dots that are no path.
func readLabel(f field, name string) string {
	labels := f.at("metadata").at("labels")
	if values, ok := labels.value.(map[string]any); ok {
		return field{path: labels.path, value: values[name], report: f.report}.text()
	}
	return ""
}

func readMap(f field) map[string]string {
	values, ok := f.value.(map[string]any)
	if !ok {
		if f.value != nil {
			f.refuse("fields below it")
		}
		return nil
	}
	texts := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		texts[name] = f.at(name).text()
	}
	return texts
}

func readTexts(f field) []string {
	var texts []string
	for _, item := range f.list() {
		texts = append(texts, item.text())
	}
	return texts
}

func readTime(f field) time.Time {
	text := f.text()
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		f.refuse("a time such as 2006-01-02T15:04:05Z")
	}
	return t
}
