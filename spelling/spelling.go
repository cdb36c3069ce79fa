// Package spelling guesses which known word a person meant by an unknown one.
package spelling

import "strings"

// Nearest returns the known word that was most likely meant by word, or "" if none
// is close.
func Nearest(word string, known []string) string {
	best, least := "", 0
	for _, candidate := range known {
		if d, near := Distance(word, candidate); near && (best == "" || d < least) {
			best, least = candidate, d
		}
	}
	return best
}

// Distance counts the slips that make word of known, and tells whether they are so
// few that known is worth suggesting: two in five letters ("svcPort" for
// servicePort), or any number for a word that is its start or end ("port" for
// servicePort). Upper case is lower case.
func Distance(word, known string) (slips int, near bool) {
	w, k := strings.ToLower(word), strings.ToLower(known)
	slips = distance(w, k)
	if len(w) >= 4 && (strings.HasPrefix(k, w) || strings.HasSuffix(k, w)) {
		return slips, true
	}
	return slips, slips <= max(len(w), len(k))*2/5
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours that make b of a (optimal string alignment).
func distance(a, b string) int {
	const longest = 64 // longer words are nobody's slip
	if len(a) > longest || len(b) > longest {
		return max(len(a), len(b))
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
