package xds

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// What is kept of what a client says of a refusal, in bytes. Envoy itself says at most
// 4,096: first the resource, often as a whole, and last what is wrong with it. So of
// longer words a beginning is kept, and more of the end.
const (
	maxWords = 1024
	maxHead  = 256
	omission = " ... "
)

// Words returns what somebody else says (a client, a library) as it is kept and shown
// to people: at most maxWords bytes of valid UTF-8 in one line, with control
// characters written out and white space as single blanks. Of what is longer the middle
// is left out.
func Words(text string) string {
	if pieces, all := inOneLine(text, maxWords); all {
		return strings.TrimSuffix(strings.Join(pieces, ""), " ")
	}
	head, _ := inOneLine(text, maxHead)
	start := len(text) - maxWords // A piece is no shorter than what it stands for, but for white space.
	for !utf8.RuneStart(text[start]) {
		start++
	}
	tail, _ := inOneLine(strings.TrimRightFunc(text[start:], unicode.IsSpace), len(text)*len(`\u0000`))
	room, first := maxWords-len(omission)-length(head), len(tail)
	for first > 0 && len(tail[first-1]) <= room {
		first--
		room -= len(tail[first])
	}
	return strings.TrimSuffix(strings.Join(head, ""), " ") + omission + strings.TrimPrefix(strings.Join(tail[first:], ""), " ")
}

// inOneLine returns a text character by character, as it is shown, as far as that takes
// no more than so many bytes, and whether that is all of it.
func inOneLine(text string, most int) (pieces []string, all bool) {
	size, blank := 0, true // blank: white space was the last thing, or nothing was
	for i, r := range text {
		if r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)) {
			r = '?'
		}
		piece := string(r)
		switch {
		case unicode.IsSpace(r) && blank:
			continue
		case unicode.IsSpace(r):
			piece = " "
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r): // Cf: they turn the direction of writing, or cannot be seen.
			piece = fmt.Sprintf(`\u%04x`, r)
		}
		blank = piece == " "
		if size += len(piece); size > most {
			return pieces, strings.TrimSpace(text[i:]) == ""
		}
		pieces = append(pieces, piece)
	}
	return pieces, true
}

func length(pieces []string) (n int) {
	for _, piece := range pieces {
		n += len(piece)
	}
	return n
}
