package kube

import "strings"

// nearest returns the known word that a person most likely meant by word, or ""
// if none is close.
func nearest(word string, known []string) string {
	best, least := "", 0
	for _, candidate := range known {
		d := distance(strings.ToLower(word), strings.ToLower(candidate))
		if d > tolerance(word, candidate) {
			continue
		}
		if best == "" || d < least {
			best, least = candidate, d
		}
	}
	return best
}

// tolerance is the greatest distance at which candidate is worth suggesting: two
// slips in five letters ("svcPort" for servicePort), or anything for a word that is its start or end
// ("port" for servicePort).
func tolerance(word, candidate string) int {
	w, c := strings.ToLower(word), strings.ToLower(candidate)
	if len(w) >= 4 && (strings.HasPrefix(c, w) || strings.HasSuffix(c, w)) {
		return len(c)
	}
	return max(len(w), len(c)) * 2 / 5
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours that make b of a (optimal string alignment).
func distance(a, b string) int {
	const longest = 64 // longer words are nobody's slip
	if len(a) > longest || len(b) > longest {
		return longest
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			substitution := last[j-1]
			if a[i-1] != b[j-1] {
				substitution++
			}
			row[j] = min(last[j]+1, row[j-1]+1, substitution)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
