package operator

import (
	"context"
	"errors"
	"testing"
)

func TestParse(t *testing.T) {
	entry := Parse([]byte(`{"level":"info","msg":"site live","site":"docs/docs-main","proxies":1}`))
	if entry.Level != "info" || entry.Message != "site live" || entry.Field("site") != "docs/docs-main" || entry.Field("proxies") != "1" || entry.Field("nothing") != "" {
		t.Errorf("got %+v", entry)
	}
	for _, line := range []string{"panic: oh no", `{"half":`, `{"json": "but no log line"}`, `"text"`, ""} {
		if entry := Parse([]byte(line)); entry.Level != "error" || entry.Message != line {
			t.Errorf("%q became %+v", line, entry)
		}
	}
}

func TestWait(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	log := newLog()
	says := func(message string) func(Entry) bool {
		return func(e Entry) bool { return e.Message == message }
	}
	log.add([]byte(`{"msg":"one"}`))
	if _, err := log.Wait(ctx, 0, says("one")); err != nil {
		t.Error(err)
	}
	from := log.Len()
	go func() {
		log.add([]byte(`{"msg":"two"}`))
		log.add([]byte(`{"msg":"one","again":true}`))
	}()
	entry, err := log.Wait(ctx, from, says("one"))
	if err != nil || entry.Field("again") != "true" {
		t.Errorf("the second one is %+v, %v", entry, err)
	}
	cancel()
	if _, err := log.Wait(ctx, log.Len(), says("one")); !errors.Is(err, context.Canceled) {
		t.Errorf("a third one: %v", err)
	}
}
