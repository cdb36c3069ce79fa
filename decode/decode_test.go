package decode

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"my-company.com/staticsite-operator/object"
)

var update = flag.Bool("update", false, "rewrite testdata/decode/*/output.txt")

// TestDecode reads each input.yaml under testdata/decode and compares what came
// of it, objects and errors, with output.txt beside it.
func TestDecode(t *testing.T) {
	inputs, err := filepath.Glob("testdata/decode/*/input.yaml")
	if err != nil || len(inputs) == 0 {
		t.Fatalf("no inputs: %v", err)
	}
	for _, input := range inputs {
		folder := filepath.Dir(input)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			text, err := os.ReadFile(input)
			if err != nil {
				t.Fatal(err)
			}
			got, golden := describe(text), filepath.Join(folder, "output.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got (run with -update if it is meant):\n%s", diff)
			}
		})
	}
}

// describe decodes a file and says in text what came of it.
func describe(text []byte) string {
	var out strings.Builder
	for _, document := range Split(text) {
		decoded, err := Objects(document)
		if err != nil {
			fmt.Fprintf(&out, "error: %v\n", err)
		}
		for _, d := range decoded {
			if d.Object != nil {
				fmt.Fprintf(&out, "%s %s: %s\n", d.Ref.Kind, d.Ref.Key, describeObject(d.Object))
			}
			for _, err := range d.Errors {
				fmt.Fprintf(&out, "error: %v\n", err)
			}
		}
	}
	return out.String()
}

func describeObject(read object.Object) string {
	switch o := read.(type) {
	case *object.Site:
		return fmt.Sprintf("domain %q, backend %q port %d, generation %d, created %v, held %v",
			o.Domain, o.Service, o.Port, o.Generation, o.Created.Unix() > 0, o.Held)
	case *object.Service:
		return fmt.Sprintf("type %q, ipv6 %v, ports %+v", o.Type, o.IPv6, o.Ports)
	case *object.Slice:
		return fmt.Sprintf("of %q, %s, ports %+v, endpoints %+v", o.Service, o.AddressType, o.Ports, o.Endpoints)
	case *object.Policy:
		return fmt.Sprintf("%s %s for %+v", o.Mode, metav1.FormatLabelSelector(&o.Selector), o.Domains)
	case *object.Namespace:
		return fmt.Sprintf("labels %v", o.Labels)
	}
	return fmt.Sprintf("%T", read)
}

// The first design's example means the same in a file and in a cluster.
func TestDecodeTheFirstDesignsExample(t *testing.T) {
	decoded, problem := Objects(Document{Line: 1, Text: []byte(`
apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: docs-main, namespace: docs}
spec:
  domain: "docs.my-company.com"
  backend: {serviceName: "docs-main-svc", servicePort: 80}
`)})
	if problem != nil || len(decoded) != 1 || len(decoded[0].Errors) > 0 {
		t.Fatalf("Objects() = %+v, %v", decoded, problem)
	}
	want := &object.Site{
		Key:    object.Key{Namespace: "docs", Name: "docs-main"},
		Domain: "docs.my-company.com", Service: "docs-main-svc", Port: 80,
	}
	if diff := cmp.Diff(object.Object(want), decoded[0].Object); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzDecode: whatever the text, nothing panics, and every error names something
// that its reader can find.
func FuzzDecode(f *testing.F) {
	inputs, err := filepath.Glob("testdata/decode/*/input.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, input := range inputs {
		text, err := os.ReadFile(input)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, document := range Split(text) {
			decoded, problem := Objects(document)
			if problem != nil {
				checkError(t, problem)
			}
			for _, d := range decoded {
				if (d.Object == nil) != (len(d.Errors) > 0) {
					t.Errorf("%v: object %v with errors %v", d.Ref, d.Object, d.Errors)
				}
				if d.Object != nil && d.Object.Ref() != d.Ref {
					t.Errorf("object %v is said to be %v", d.Object.Ref(), d.Ref)
				}
				for _, err := range d.Errors {
					checkError(t, err)
					if err.Object == "" {
						t.Errorf("%q names no object", err)
					}
				}
			}
		}
	})
}

func checkError(t *testing.T, err *Error) {
	t.Helper()
	if err.Problem == "" || strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("%q is no line that says what is wrong", err)
	}
}
