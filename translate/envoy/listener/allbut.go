package listener

import (
	"slices"
	"strings"
)

// allBut returns a regular expression that matches, whole, every string except
// these words of lower-case letters and hyphens. Envoy's regular expressions (RE2)
// know no negation, so it is spelled out: a different first letter, or the same one and
// then a different second letter, and so on.
func allBut(words ...string) string {
	words = slices.Sorted(slices.Values(words))
	complete := len(words) > 0 && words[0] == "" // what was read so far is a word
	if complete {
		words = words[1:]
	}
	if len(words) == 0 {
		return ".+"
	}
	var first, others strings.Builder
	for len(words) > 0 {
		c := words[0][:1]
		var rest []string
		for len(words) > 0 && words[0][:1] == c {
			rest, words = append(rest, words[0][1:]), words[1:]
		}
		first.WriteString(c)
		others.WriteString("|" + c + allBut(rest...))
	}
	text := "(?:[^" + strings.ReplaceAll(first.String(), "-", `\-`) + "].*" + others.String() + ")"
	if !complete {
		text += "?"
	}
	return text
}
