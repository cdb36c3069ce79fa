package sitestatus

import (
	"strings"
	"testing"
)

func TestFitMakesAMessageThatTheServerGivesBackUnchanged(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain":     {"fine", "fine"},
		"broken":    {"a\xffb", "a?b"},
		"long":      {strings.Repeat("x", 40000), strings.Repeat("x", 32765) + "..."},
		"long wide": {strings.Repeat("ä", 20000), strings.Repeat("ä", 16382) + "..."},
	} {
		if got := Fit(c.in, MaxMessage); got != c.want {
			t.Errorf("%s: %d bytes %.20q, want %d bytes %.20q", name, len(got), got, len(c.want), c.want)
		}
	}
}
