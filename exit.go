package main

import "fmt"

// exit ends the program with a code. What went wrong is printed, if it was not
// said before.
type exit struct {
	code int
	err  error
}

func (e exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit with %d", e.code)
	}
	return e.err.Error()
}
