package xds

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWordsAreShortAndHarmless(t *testing.T) {
	for said, want := range map[string]string{
		"":                                     "",
		"cannot bind '0.0.0.0:80'\n":           "cannot bind '0.0.0.0:80'",
		"\n one\r\n\ttwo  three ":              "one two three",
		"\x1b[2J gone \x00\x7f":                `\u001b[2J gone \u0000\u007f`,
		"txt.\u202egpj \u200bhidden":           `txt.\u202egpj \u200bhidden`,
		"bad \xff\xfe end":                     "bad ?? end",
		"a real \ufffd stays":                  "a real \ufffd stays",
		strings.Repeat("x", maxWords):          strings.Repeat("x", maxWords),
		strings.Repeat("x", maxWords+1):        strings.Repeat("x", maxHead) + " ... " + strings.Repeat("x", maxWords-maxHead-5),
		strings.Repeat("語", maxWords):          strings.Repeat("語", maxHead/3) + " ... " + strings.Repeat("語", (maxWords-maxHead/3*3-5)/3),
		"x" + strings.Repeat("語", maxWords):    "x" + strings.Repeat("語", (maxHead-1)/3) + " ... " + strings.Repeat("語", (maxWords-1-(maxHead-1)/3*3-5)/3),
		strings.Repeat("x", maxWords) + "\n":   strings.Repeat("x", maxWords),
		strings.Repeat("\x1b", maxWords):       strings.Repeat(`\u001b`, maxHead/6) + " ... " + strings.Repeat(`\u001b`, (maxWords-maxHead/6*6-5)/6),
		strings.Repeat("x", 1<<20) + "\xff...": strings.Repeat("x", maxHead) + " ... " + strings.Repeat("x", maxWords-maxHead-9) + "?...",
		"head " + strings.Repeat("x ", 1<<10) + "caused by: tail \n": "head " + strings.Repeat("x ", (maxHead-6)/2) + "x ... " + strings.Repeat("x ", (maxWords-maxHead-5-15)/2) + "caused by: tail",
	} {
		got := Words(said)
		if got != want {
			t.Errorf("of %.40q is kept %.60q, %d bytes, want %.60q, %d", said, got, len(got), want, len(want))
		}
		if len(got) > maxWords || !utf8.ValidString(got) {
			t.Errorf("of %.40q %d bytes are kept, valid UTF-8: %v", said, len(got), utf8.ValidString(got))
		}
		if again := Words(got); again != got {
			t.Errorf("%q is cut again to %q", got, again)
		}
	}
}
