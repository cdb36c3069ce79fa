package translate_test

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/api/v1alpha1"
	. "my-company.com/staticsite-operator/object"
)

// document is as much of a site, a Service and a slice as translation reads. The product's
// own decoder is kube's; this one trusts its input.
type document struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name       string            `json:"name"`
		Namespace  string            `json:"namespace"`
		Generation int64             `json:"generation"`
		Created    time.Time         `json:"creationTimestamp"`
		Labels     map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		Domain  string `json:"domain"`
		Backend struct {
			ServiceName string `json:"serviceName"`
			ServicePort int32  `json:"servicePort"`
		} `json:"backend"`
		v1alpha1.SiteFeatures
		Type       string   `json:"type"`
		IPFamilies []string `json:"ipFamilies"`
		ClusterIP  string   `json:"clusterIP"`
		Ports      []port   `json:"ports"`
	} `json:"spec"`
	Status struct {
		Domains []string `json:"domains"`
	} `json:"status"`
	AddressType string `json:"addressType"`
	Ports       []port `json:"ports"`
	Endpoints   []struct {
		Addresses  []string `json:"addresses"`
		Zone       string   `json:"zone"`
		Conditions struct {
			Ready       *bool `json:"ready"`
			Serving     bool  `json:"serving"`
			Terminating bool  `json:"terminating"`
		} `json:"conditions"`
	} `json:"endpoints"`
}

type port struct {
	Name        string `json:"name"`
	Port        int32  `json:"port"`
	TargetPort  any    `json:"targetPort"`
	Protocol    string `json:"protocol"`
	AppProtocol string `json:"appProtocol"`
}

// readObjects reads the objects of one YAML file.
func readObjects(t *testing.T, path string) map[Ref]Object {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	objects := make(map[Ref]Object)
	for part := range strings.SplitSeq(string(text), "\n---\n") {
		var d document
		if err := yaml.Unmarshal([]byte(part), &d); err != nil {
			t.Fatalf("read %s: %v", path, err)
		}
		if d.Kind == "" {
			continue // Nothing but comments.
		}
		o := d.object(t)
		objects[o.Ref()] = o
	}
	return objects
}

func (d *document) object(t *testing.T) Object {
	t.Helper()
	key := Key{Namespace: d.Metadata.Namespace, Name: d.Metadata.Name}
	switch d.Kind {
	case "StaticSite":
		site := &Site{
			Key: key, Generation: d.Metadata.Generation, Created: d.Metadata.Created,
			Domain: d.Spec.Domain, Service: d.Spec.Backend.ServiceName, Port: d.Spec.Backend.ServicePort,
			Held: d.Status.Domains,
		}
		if features := d.Spec.SiteFeatures; !reflect.ValueOf(features).IsZero() {
			site.Features = &features
		}
		return site
	case "Service":
		s := &Service{Key: key, Type: d.Spec.Type, Headless: d.Spec.ClusterIP == "None"}
		s.IPv6 = len(d.Spec.IPFamilies) > 0 && d.Spec.IPFamilies[0] == "IPv6"
		for _, p := range d.Spec.Ports {
			number, _ := p.TargetPort.(float64)
			_, named := p.TargetPort.(string)
			s.Ports = append(s.Ports, ServicePort{Name: p.Name, Port: p.Port, Target: int32(number), NamedTarget: named, Protocol: p.Protocol, AppProtocol: p.AppProtocol})
		}
		return s
	case "EndpointSlice":
		s := &Slice{Key: key, Service: d.Metadata.Labels["kubernetes.io/service-name"], AddressType: d.AddressType}
		for _, p := range d.Ports {
			s.Ports = append(s.Ports, SlicePort{Name: p.Name, Port: p.Port, Protocol: p.Protocol, AppProtocol: p.AppProtocol})
		}
		for _, e := range d.Endpoints {
			ready := e.Conditions.Ready == nil || *e.Conditions.Ready
			draining := !ready && e.Conditions.Serving && e.Conditions.Terminating
			s.Endpoints = append(s.Endpoints, Endpoint{Address: e.Addresses[0], Ready: ready, Draining: draining, Zone: e.Zone})
		}
		return s
	}
	t.Fatalf("%s is no kind that translation reads", d.Kind)
	return nil
}
