package listener

import (
	"regexp"
	"slices"
	"testing"
)

func TestAllBut(t *testing.T) {
	for _, words := range [][]string{{"websocket"}, {"for", "proto"}, {"for", "port", "proto"}, {"a", "ab", "a-b"}, {"b"}} {
		re := regexp.MustCompile("^(?:" + allBut(words...) + ")$")
		tried := []string{"", "-", "x", "websockets", "WebSocket", "wEb", "host"}
		for _, w := range words {
			for cut := range len(w) + 1 {
				tried = append(tried, w[:cut], w[cut:], w[:cut]+"x", w[:cut]+"-"+w[cut:], w[:cut]+"\xc3\xbc"+w[cut:])
			}
		}
		for _, s := range tried {
			if got, want := re.MatchString(s), !slices.Contains(words, s); got != want {
				t.Errorf("all but %q: %q matches %v: %v", words, s, re, got)
			}
		}
	}
}
