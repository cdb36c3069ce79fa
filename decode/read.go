package decode

import (
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/object"
)

// The readers below cut an object down to what translation reads. They judge
// presence and type only: whether a domain is a host name or a port in range is
// translation's to say, for objects of every source alike.

func readSite(f Field, key object.Key) object.Object {
	metadata, spec := f.At("metadata"), f.need("spec")
	domain, backend := spec.need("domain"), spec.need("backend")
	return &object.Site{
		Key:        key,
		UID:        metadata.At("uid").Text(),
		Generation: metadata.At("generation").Long(),
		Created:    metadata.At("creationTimestamp").Time(),
		Domain:     domain.Text(),
		Service:    backend.need("serviceName").Text(),
		Port:       backend.need("servicePort").number(),
		Held:       f.At("status").At("domains").Texts(),
		Features:   readFeatures(spec),
	}
}

// readFeatures reads a specification's features as a whole, nil if there are none: it
// knows no field by name, so none can be forgotten here.
func readFeatures(spec Field) *v1alpha1.SiteFeatures {
	root, ok := spec.Value.(map[string]any)
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

func readService(f Field, key object.Key) object.Object {
	spec := f.need("spec")
	service := &object.Service{Key: key, Type: spec.At("type").Text(), Headless: isHeadless(spec)}
	if families := spec.At("ipFamilies").List(); len(families) > 0 {
		service.IPv6 = families[0].Text() == "IPv6"
	}
	for _, port := range spec.At("ports").List() {
		target, named := readTarget(port.At("targetPort"))
		service.Ports = append(service.Ports, object.ServicePort{
			Name:        port.At("name").Text(),
			Port:        port.need("port").number(),
			Target:      target,
			NamedTarget: named,
			Protocol:    port.At("protocol").Text(),
			AppProtocol: port.At("appProtocol").Text(),
		})
	}
	return service
}

// isHeadless reports whether a Service has no address of its own. The API server
// writes both fields where a person wrote one.
func isHeadless(spec Field) bool {
	addresses := spec.At("clusterIPs").Texts()
	return spec.At("clusterIP").Text() == corev1.ClusterIPNone || len(addresses) > 0 && addresses[0] == corev1.ClusterIPNone
}

// readTarget reads a targetPort: a number, or the name of a port of containers.
func readTarget(f Field) (number int32, named bool) {
	if name, isText := f.Value.(string); isText {
		return 0, name != ""
	}
	return f.number(), false
}

func readSlice(f Field, key object.Key) object.Object {
	slice := &object.Slice{
		Key:         key,
		Service:     readLabel(f, discoveryv1.LabelServiceName),
		AddressType: f.need("addressType").Text(),
	}
	for _, port := range f.At("ports").List() {
		slice.Ports = append(slice.Ports, object.SlicePort{
			Name:        port.At("name").Text(),
			Port:        port.At("port").number(), // Absent it means all ports, and so none in particular.
			Protocol:    port.At("protocol").Text(),
			AppProtocol: port.At("appProtocol").Text(),
		})
	}
	for _, endpoint := range f.At("endpoints").List() {
		addresses := endpoint.need("addresses").Texts()
		if len(addresses) == 0 {
			continue // reported, or an endpoint that nobody can reach
		}
		conditions := endpoint.At("conditions")
		ready, serving := conditions.At("ready").truth(true), conditions.At("serving").truth(true)
		slice.Endpoints = append(slice.Endpoints, object.Endpoint{
			Address:  addresses[0],
			Ready:    ready,
			Draining: !ready && serving && conditions.At("terminating").truth(false),
			Zone:     endpoint.At("zone").Text(),
		})
	}
	return slice
}

func readPolicy(f Field, key object.Key) object.Object {
	spec := f.need("spec")
	policy := &object.Policy{
		Key:      key,
		Mode:     spec.need("mode").Text(),
		Selector: readSelector(spec.need("namespaceSelector")),
	}
	for _, match := range spec.need("domains").List() {
		policy.Domains = append(policy.Domains, object.DomainMatch{
			Exact:  match.At("exact").Text(),
			Suffix: match.At("suffix").Text(),
		})
	}
	return policy
}

func readSelector(f Field) metav1.LabelSelector {
	selector := metav1.LabelSelector{MatchLabels: readMap(f.At("matchLabels"))}
	for _, expression := range f.At("matchExpressions").List() {
		selector.MatchExpressions = append(selector.MatchExpressions, metav1.LabelSelectorRequirement{
			Key:      expression.need("key").Text(),
			Operator: metav1.LabelSelectorOperator(expression.need("operator").Text()),
			Values:   expression.At("values").Texts(),
		})
	}
	return selector
}

func readNamespace(f Field, key object.Key) object.Object {
	return &object.Namespace{Key: key, Labels: readMap(f.At("metadata").At("labels"))}
}

// readLabel reads one label, whose name may have dots that are no path.
func readLabel(f Field, name string) string {
	labels := f.At("metadata").At("labels")
	if values, ok := labels.Value.(map[string]any); ok {
		return Field{path: labels.path, Value: values[name], report: f.report}.Text()
	}
	return ""
}

func readMap(f Field) map[string]string {
	values, ok := f.Value.(map[string]any)
	if !ok {
		if f.Value != nil {
			f.refuse("fields below it")
		}
		return nil
	}
	texts := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		texts[name] = f.At(name).Text()
	}
	return texts
}
