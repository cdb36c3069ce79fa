package envoy_test

import (
	"testing"

	. "my-company.com/staticsite-operator/translate/envoy"
)

func TestServiceOfACluster(t *testing.T) {
	for name, want := range map[string]string{
		"docs_web_80_cluster":   "docs/web",
		"docs_web_80_other":     "",
		"docs_web_80":           "",
		"docs_web_http_cluster": "",
		"xds_cluster":           "",
		"":                      "",
	} {
		service, port, ok := ServiceOf(name)
		if ok != (want != "") || ok && (service.String() != want || port != 80) {
			t.Errorf("ServiceOf(%q) = %s, %d, %v", name, service, port, ok)
		}
	}
}
