package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/readme"
)

// TestREADME plays the README's first session and docs/debugging.md, word for word:
// what they tell to type is typed, and what they show must come.
func TestREADME(t *testing.T) {
	ctx := bounded(t)
	root, err := parts.Root()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parts.Find("grpcurl"); err != nil {
		t.Fatal(err)
	}
	g := startGame(t, ctx)
	folder := t.TempDir() // looks like the project's, but its sites are the game's
	if err := os.Mkdir(filepath.Join(folder, "testdata"), 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"testdata/sites": g.sites, ".tools": filepath.Join(root, ".tools"), "bin": filepath.Join(root, "bin")} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	shell := func(command string) string {
		t.Helper()
		cmd := exec.CommandContext(ctx, "bash", "-c", command)
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s\n%v: %s", command, err, out)
		}
		return string(out)
	}

	session, err := readme.Section(filepath.Join(root, "README.md"), "A first session")
	if err != nil {
		t.Fatal(err)
	}
	page, err := readme.Page(filepath.Join(root, "docs", "debugging.md"))
	if err != nil {
		t.Fatal(err)
	}
	typed, shown := 0, 0
	for _, block := range append(session, page...) {
		switch {
		case printed.MatchString(block):
			shown++
			// The path is the game's, and how long it took differs.
			_, line, _ := strings.Cut(strings.TrimSpace(block), "  ")
			line = lasted.ReplaceAllString(strings.ReplaceAll(line, "testdata/sites", g.sites), "")
			g.await(t, ctx, line)
		case strings.HasPrefix(block, "$ "):
			command, want := readme.Command(block)
			typed, shown = typed+1, shown+1
			got := shell(command)
			if identifier.ReplaceAllString(strings.TrimSpace(got), "") != identifier.ReplaceAllString(strings.TrimSpace(want), "") {
				t.Errorf("%s\nprints\n%s\nand the page shows\n%s", command, got, want)
			}
		case strings.HasPrefix(block, "cat >"), strings.HasPrefix(block, "sed "):
			typed++
			shell(block)
		}
	}
	if typed < 6 || shown < 6 {
		t.Errorf("only %d commands and %d outputs were found in the pages", typed, shown)
	}
}

var (
	printed = regexp.MustCompile(`^\d\d:\d\d:\d\d  `)
	lasted  = regexp.MustCompile(` after [0-9.]+m?s$`)

	// identifier is of this machine and this build.
	identifier = regexp.MustCompile(`"identifier": "\S+ staticsite-operator/\S+"`)
)
