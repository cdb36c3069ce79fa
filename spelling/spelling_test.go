package spelling

import (
	"strings"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"domain", "backend", "serviceName", "servicePort"}
	for word, want := range map[string]string{
		"servicePort":                    "servicePort",
		"serviceport":                    "servicePort",
		"svcPort":                        "servicePort",
		"port":                           "servicePort", // its end
		"back":                           "backend",     // its start
		"dmoain":                         "domain",      // one swap
		"doamin":                         "domain",
		"host":                           "",
		"in":                             "", // too short to be an end
		"":                               "",
		strings.Repeat("servicePort", 9): "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		word, known string
		slips       int
		near        bool
	}{
		{"", "", 0, true},
		{"docs", "docs", 0, true},
		{"DOCS", "docs", 0, true},
		{"docs", "dosc", 1, true}, // a swap
		{"docs", "doc", 1, true},  // one too many
		{"doc", "docs", 1, true},
		{"api", "app", 1, true},
		{"xyz", "kb", 3, false},
		{"api", "kb", 3, false},
		{"example", "my-company", 8, false},
		{"docs", "", 4, false},
	} {
		if slips, near := Distance(test.word, test.known); slips != test.slips || near != test.near {
			t.Errorf("Distance(%q, %q) = %d, %v, want %d, %v", test.word, test.known, slips, near, test.slips, test.near)
		}
	}
}
