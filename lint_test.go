package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A folder may have policies and namespaces in it, and lint judges by them as the
// server would.
func TestLintJudgesByPolicies(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"policies.yaml": `
apiVersion: v1
kind: Namespace
metadata: {name: docs, labels: {team: docs}}
---
apiVersion: platform.my-company.com/v1alpha1
kind: SiteDomainPolicy
metadata: {name: docs}
spec: {mode: Reserve, namespaceSelector: {matchLabels: {team: docs}}, domains: [{suffix: kb.my-company.com}]}
---
apiVersion: platform.my-company.com/v1alpha1
kind: SiteDomainPolicy
metadata: {name: bad}
spec: {mode: Reserve, namespaceSelector: {}, domains: [{suffix: "*.my-company.com"}]}
`,
		"sites.yaml": `
apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: kb, namespace: docs}
spec: {domain: en.kb.my-company.com, backend: {serviceName: web, servicePort: 80}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: docs}
spec: {ports: [{port: 80}]}
---
apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {name: kb, namespace: guides}
spec: {domain: kb.my-company.com, backend: {serviceName: web, servicePort: 80}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: guides}
spec: {ports: [{port: 80}]}
`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	printed, err := run(t, "lint", folder)
	if err == nil || !strings.Contains(err.Error(), "2 problems in 2 sites") {
		t.Errorf("lint: %v", err)
	}
	want := strings.ReplaceAll(`FOLDER/policies.yaml: SiteDomainPolicy bad: spec.domains[0].suffix: "*.my-company.com": write "my-company.com", which is that domain and all below it
FOLDER/sites.yaml: StaticSite guides/kb: spec.domain: kb.my-company.com is reserved by SiteDomainPolicy docs, which does not select namespace guides: write another domain, or have that policy select this namespace
`, "FOLDER", folder)
	if printed != want {
		t.Errorf("lint prints\n%s\nwant\n%s", printed, want)
	}
	printed, err = run(t, "translate", folder)
	if err != nil || !strings.Contains(printed, "name: en.kb.my-company.com") || strings.Contains(printed, "name: kb.my-company.com") {
		t.Errorf("translate: %v\n%s", err, printed)
	}
}

func TestLintCounts(t *testing.T) {
	const site = "{apiVersion: platform.my-company.com/v1alpha1, kind: StaticSite, metadata: {name: a}, spec: {domain: docs.example.com, backend: {serviceName: web, servicePort: 80}}}\n"
	for text, want := range map[string]string{
		site:                    "1 problem in 1 site",
		"---\n{{ a template }}": "1 problem in 0 sites",
	} {
		file := filepath.Join(t.TempDir(), "site.yaml")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, "lint", file); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("lint: %v, want %q", err, want)
		}
	}
}

// What follows from a mistake is no mistake of its own.
func TestLintCountsAMistakeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "site.yaml")
	text := "apiVersion: platform.my-company.com/v1alpha1\nkind: StaticSite\nmetadata: {name: a, namespace: docs}\nspec: {domain: a.example.com, backend: {serviceName: web, servicePort: 0}}\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	printed, err := run(t, "lint", path)
	if err == nil || !strings.Contains(err.Error(), "1 problem in 1 site") || strings.Contains(printed, "no Service was looked up") {
		t.Errorf("lint: %v\n%s", err, printed)
	}
}
