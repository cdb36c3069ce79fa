package feature_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/translate/evil"
	. "my-company.com/staticsite-operator/translate/feature"
)

// What doc.go says of a new feature.
func TestEveryFeatureIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../docs/sites.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range All {
		if _, err := os.Stat("../../testdata/translate/feature-" + f.Field + "/input.yaml"); err != nil {
			t.Errorf("%s has no golden files: %v", f.Field, err)
		}
		if !strings.Contains(string(page), "`"+f.Field+"`") {
			t.Errorf("%s is not in docs/sites.md", f.Field)
		}
		if !slices.ContainsFunc(evil.Cases(), func(c evil.Case) bool { return strings.HasPrefix(c.Name, "feature: "+f.Field) }) {
			t.Errorf("%s is not in the evil corpus", f.Field)
		}
	}
}

// A field without a row would be accepted, and would do nothing.
func TestEveryFieldHasItsRow(t *testing.T) {
	rows := make(map[string]bool)
	for _, f := range All {
		rows[f.Field] = true
	}
	fields := reflect.TypeFor[v1alpha1.SiteFeatures]()
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if !rows[name] {
			t.Errorf("spec.%s has no row in All", name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("there is no field spec.%s", name)
	}
}
