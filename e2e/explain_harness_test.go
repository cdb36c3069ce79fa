package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
	"my-company.com/staticsite-operator/explain"
)

// A question is how explain is asked: its arguments.
type question []string

// run asks once, and returns what is printed and the exit code.
func (q question) run(ctx context.Context, args ...string) (stdout, stderr string, code int, err error) {
	path, err := parts.Operator()
	if err != nil {
		return "", "", 0, err
	}
	cmd := exec.CommandContext(ctx, path, append(append([]string{"explain"}, q...), args...)...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	if exit := (&exec.ExitError{}); errors.As(err, &exit) {
		return out.String(), problems.String(), exit.ExitCode(), nil
	}
	return out.String(), problems.String(), 0, err
}

// await asks until the answer has that reason, for what is asked about is on its
// way, and checks the exit code that goes with it.
func (q question) await(t *testing.T, ctx context.Context, reason string, code int) *explain.Explanation {
	t.Helper()
	var e *explain.Explanation
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		stdout, stderr, got, err := q.run(ctx, "-o", "json")
		if err != nil {
			return err
		}
		e = new(explain.Explanation)
		if err := json.Unmarshal([]byte(stdout), e); err != nil {
			return fmt.Errorf("explain %v: %w: %s%s", q, err, stdout, stderr)
		}
		if e.Reason != reason || got != code {
			return fmt.Errorf("explain %v ends with %d and %s, want %d and %s: %s", q, got, e.Reason, code, reason, stdout)
		}
		return nil
	}))
	return e
}

// text asks once, for people.
func (q question) text(t *testing.T, ctx context.Context) string {
	t.Helper()
	stdout, stderr, _, err := q.run(ctx)
	must(t, err)
	if strings.Count(stdout, "\nNext: ") != 1 {
		t.Errorf("explain %v has not one next thing to do: %s%s", q, stdout, stderr)
	}
	return stdout
}
