package proc

import "bytes"

// lineWriter hands over what is written to it line by line.
type lineWriter struct {
	line func([]byte)
	rest []byte // the beginning of a line whose end has not come
}

func (w *lineWriter) Write(b []byte) (int, error) {
	n := len(b)
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			w.rest = append(w.rest, b...)
			return n, nil
		}
		w.line(append(w.rest, b[:end]...))
		w.rest, b = nil, b[end+1:]
	}
}

// flush hands over a last line that has no end.
func (w *lineWriter) flush() {
	if len(w.rest) > 0 {
		w.line(w.rest)
		w.rest = nil
	}
}
