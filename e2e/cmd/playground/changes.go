package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"my-company.com/staticsite-operator/e2e/operator"
)

// changes turns the server's log lines into a line for each change. Lines that
// come before show are kept until then, so that the greeting stands first.
type changes struct {
	out  io.Writer
	port int // of the URLs
	now  func() time.Time

	mu    sync.Mutex
	shown bool
	kept  []string
}

// line takes a log line.
func (c *changes) line(line []byte) {
	text := c.reword(operator.Parse(line))
	if text == "" {
		return
	}
	text = c.now().Format("15:04:05") + "  " + text
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shown {
		fmt.Fprintln(c.out, text)
	} else {
		c.kept = append(c.kept, text)
	}
}

// show prints what came so far, and from now on what comes.
func (c *changes) show() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shown = true
	for _, text := range c.kept {
		fmt.Fprintln(c.out, text)
	}
	c.kept = nil
}

// reword returns what a person wants to know of an entry, "" for nothing. What it
// does not know is shown as it is if it is a warning or worse.
func (c *changes) reword(e operator.Entry) string {
	switch e.Message {
	case "site live":
		return fmt.Sprintf("+ %s is live (%s), %s", siteURL(e.Field("domain"), c.port), e.Field("site"), acknowledged(e))
	case "site gone":
		if e.Field("domain") == "" { // It had none when it went.
			return fmt.Sprintf("- %s is gone, %s", e.Field("site"), acknowledged(e))
		}
		return fmt.Sprintf("- %s is gone (%s), %s", siteURL(e.Field("domain"), c.port), e.Field("site"), acknowledged(e))
	case "sites live", "sites gone":
		return fmt.Sprintf("%s %s %s", e.Field("sites"), e.Message, acknowledged(e))
	case "site has a problem":
		return fmt.Sprintf("! %s: %s (%s: %s)", e.Field("site"), e.Field("message"), e.Field("condition"), e.Field("reason"))
	case "file refused":
		where := e.Field("file")
		if object := e.Field("object"); object != "" {
			where += ": " + object
		}
		return fmt.Sprintf("! %s: %s", where, strings.TrimPrefix(e.Field("error"), e.Field("file")+": "))
	case "there are no sites in the folder: add a StaticSite", "sites folder cannot be read, serving what is known":
		return fmt.Sprintf("! %s (%s)", e.Message, e.Field("folder"))
	}
	switch e.Level {
	case "debug", "info":
		return ""
	}
	return "! " + e.Line
}

// acknowledged says by how many proxies a change was acknowledged, and when.
func acknowledged(e operator.Entry) string {
	who := "acknowledged"
	switch proxies := e.Field("proxies"); proxies {
	case "":
	case "0":
		return "no proxy is connected"
	case "1":
		who += " by the proxy"
	default:
		who += " by " + proxies + " proxies"
	}
	if after, err := time.ParseDuration(e.Field("after")); err == nil {
		who += " after " + after.Round(100*time.Microsecond).String()
	}
	return who
}
