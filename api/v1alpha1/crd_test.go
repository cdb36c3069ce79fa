package v1alpha1_test

import (
	"os"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/api/v1alpha1"
)

// crd is the part of the generated CRD that names of this package stand in. That
// the whole of it is what the types say is tested where controller-gen is.
type crd struct {
	Spec struct {
		Group string
		Scope string
		Names struct {
			Kind, Plural           string
			ShortNames, Categories []string
		}
		Versions []struct {
			Name                     string
			AdditionalPrinterColumns []struct{ Name, JSONPath string }
			SelectableFields         []struct{ JSONPath string }
			Subresources             struct{ Status *struct{} }
			Schema                   struct{ OpenAPIV3Schema schema }
		}
	}
}

type schema struct {
	Properties map[string]schema
	Enum       []string
	Required   []string
	Default    any
	MinLength  *int
	MaxLength  *int
	Minimum    *int
	Maximum    *int
	MaxItems   *int
	Items      *schema

	MaxProperties        *int
	AdditionalProperties *schema
}

func readCRD(t *testing.T, plural string) crd {
	t.Helper()
	text, err := os.ReadFile("../../manifests/crd/platform.my-company.com_" + plural + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var c crd
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Spec.Versions) != 1 {
		t.Fatalf("the CRD has %d versions, want 1", len(c.Spec.Versions))
	}
	return c
}

func TestCRDBearsTheNamesOfThisPackage(t *testing.T) {
	c := readCRD(t, "staticsites").Spec
	version := c.Versions[0]
	if c.Group != v1alpha1.GroupVersion.Group || version.Name != v1alpha1.GroupVersion.Version ||
		c.Names.Kind != v1alpha1.Kind || c.Names.Plural != v1alpha1.Resource.Resource || c.Scope != "Namespaced" {
		t.Errorf("names: %+v", c)
	}
	if !slices.Equal(c.Names.ShortNames, []string{"ssite"}) || !slices.Equal(c.Names.Categories, []string{"sites"}) {
		t.Errorf("short names %v, categories %v", c.Names.ShortNames, c.Names.Categories)
	}
	if version.Subresources.Status == nil {
		t.Error("no status subresource")
	}
	if len(version.SelectableFields) != 1 || version.SelectableFields[0].JSONPath != ".spec.domain" {
		t.Errorf("selectable fields %v", version.SelectableFields)
	}
	var columns []string
	for _, column := range version.AdditionalPrinterColumns {
		columns = append(columns, column.Name)
	}
	if want := []string{"Domain", "Service", "Port", "Status", "Ready", "Endpoints", "Age"}; !slices.Equal(columns, want) {
		t.Errorf("columns %v, want %v", columns, want)
	}
	if most := version.Schema.OpenAPIV3Schema.Properties["status"].Properties["conditions"].MaxItems; most == nil || *most != v1alpha1.MaxConditions {
		t.Errorf("room for %v conditions, want %d", most, v1alpha1.MaxConditions)
	}
	phases := version.Schema.OpenAPIV3Schema.Properties["status"].Properties["phase"].Enum
	if want := []string{string(v1alpha1.PhasePending), string(v1alpha1.PhaseProvisioned), string(v1alpha1.PhaseError)}; !slices.Equal(phases, want) {
		t.Errorf("phases %v, want %v", phases, want)
	}
}

// A default on a field that a user owns would show up as drift in Argo CD; a
// string without bound lets one object be as large as a thousand.
func TestSpecHasBoundsAndNoDefaults(t *testing.T) {
	root := readCRD(t, "staticsites").Spec.Versions[0].Schema.OpenAPIV3Schema
	if !slices.Equal(root.Required, []string{"spec"}) {
		t.Errorf("required at the root: %v, want spec", root.Required)
	}
	spec := root.Properties["spec"]
	checkBounds(t, "spec", spec)
	headers := spec.Properties["responseHeaders"].Properties["set"]
	name, value := headers.Items.Properties["name"], headers.Items.Properties["value"]
	if *headers.MaxItems != v1alpha1.MaxHeaderChanges || *name.MaxLength != v1alpha1.MaxHeaderName || *value.MaxLength != v1alpha1.MaxHeaderValue {
		t.Errorf("headers have bounds %d, %d, %d", *headers.MaxItems, *name.MaxLength, *value.MaxLength)
	}
	domain, port := spec.Properties["domain"], spec.Properties["backend"].Properties["servicePort"]
	if *domain.MinLength != 4 || *domain.MaxLength != 253 {
		t.Errorf("spec.domain has %d to %d characters, want 4 to 253", *domain.MinLength, *domain.MaxLength)
	}
	if *port.Minimum != 1 || *port.Maximum != 65535 {
		t.Errorf("spec.backend.servicePort is from %d to %d, want 1 to 65535", *port.Minimum, *port.Maximum)
	}
}

func TestPolicyCRDBearsTheNamesOfThisPackage(t *testing.T) {
	c := readCRD(t, "sitedomainpolicies").Spec
	version := c.Versions[0]
	if c.Group != v1alpha1.GroupVersion.Group || version.Name != v1alpha1.GroupVersion.Version ||
		c.Names.Kind != v1alpha1.PolicyKind || c.Names.Plural != v1alpha1.PolicyResource.Resource || c.Scope != "Cluster" {
		t.Errorf("names: %+v", c)
	}
	// In the category of sites it would break what people ask of all of them:
	// kubectl get sites --field-selector=spec.domain=...
	if !slices.Equal(c.Names.ShortNames, []string{"sdp"}) || len(c.Names.Categories) > 0 {
		t.Errorf("short names %v, categories %v", c.Names.ShortNames, c.Names.Categories)
	}
	spec := version.Schema.OpenAPIV3Schema.Properties["spec"]
	checkBounds(t, "spec", spec)
	if want := []string{"domains", "mode", "namespaceSelector"}; !slices.Equal(spec.Required, want) {
		t.Errorf("required in spec: %v, want %v", spec.Required, want)
	}
	if modes, want := spec.Properties["mode"].Enum, []string{string(v1alpha1.PolicyPermit), string(v1alpha1.PolicyReserve)}; !slices.Equal(modes, want) {
		t.Errorf("modes %v, want %v", modes, want)
	}
}

func checkBounds(t *testing.T, path string, s schema) {
	if s.Default != nil {
		t.Errorf("%s has a default", path)
	}
	if len(s.Properties) == 0 && s.MaxLength == nil && s.Maximum == nil && len(s.Enum) == 0 && s.MaxItems == nil && s.MaxProperties == nil {
		t.Errorf("%s has no bound", path)
	}
	for name, property := range s.Properties {
		checkBounds(t, path+"."+name, property)
	}
	for _, inner := range []*schema{s.Items, s.AdditionalProperties} {
		if inner != nil {
			checkBounds(t, path+"[]", *inner)
		}
	}
}
