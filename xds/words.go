package xds

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWords is how much of what a client says of a refusal is kept, in bytes. Envoy
// itself says at most 4,096, and the first thing that is wrong comes first.
const maxWords = 1024

// Words returns what somebody else says (a client, a library) as it is kept and shown
// to people: at most maxWords bytes of valid UTF-8 in one line, with control
// characters written out and white space as single blanks.
func Words(text string) string {
	const ellipsis = "..."
	var b strings.Builder
	whole := 0 // bytes, with room for the ellipsis
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) {
			r = '?'
		}
		piece := string(r)
		switch {
		case unicode.IsSpace(r) && (b.Len() == 0 || strings.HasSuffix(b.String(), " ")):
			continue
		case unicode.IsSpace(r):
			piece = " "
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf: they turn the direction of writing, or cannot be seen.
			piece = fmt.Sprintf(`\u%04x`, r)
		}
		if b.Len() <= maxWords-len(ellipsis) {
			whole = b.Len()
		}
		if b.Len()+len(piece) > maxWords && strings.TrimSpace(text[i:]) != "" {
			return b.String()[:whole] + ellipsis
		}
		b.WriteString(piece)
	}
	return strings.TrimSuffix(b.String(), " ")
}
