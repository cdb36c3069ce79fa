// Package text puts what users wrote into messages.
package text

import (
	"fmt"
	"strings"
)

// Quote shows a user's text in a message: on one line, in bounds, and valid UTF-8
// whatever it is.
func Quote(s string) string {
	const most = 100
	if len(s) > most {
		return fmt.Sprintf("%.*q...", most, s)
	}
	return fmt.Sprintf("%q", s)
}

// List puts things into words, at most so many of them, and says how many more
// there are.
func List[T any](things []T, most int, words func(T) string) string {
	var all []string
	for _, thing := range things[:min(most, len(things))] {
		all = append(all, words(thing))
	}
	if more := len(things) - most; more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return strings.Join(all, ", ")
}
