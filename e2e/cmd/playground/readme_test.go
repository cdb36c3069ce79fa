package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"my-company.com/staticsite-operator/e2e/parts"
)

// TestREADME plays the README's first session and its look inside, word for word:
// what it tells to type is typed, and what it shows must come.
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

	typed, shown := 0, 0
	for _, block := range blocks(t, filepath.Join(root, "README.md"), "A first session", "Looking inside") {
		switch {
		case printed.MatchString(block):
			shown++
			// The path is the game's, and how long it took differs.
			_, line, _ := strings.Cut(strings.TrimSpace(block), "  ")
			line = lasted.ReplaceAllString(strings.ReplaceAll(line, "testdata/sites", g.sites), "")
			g.await(t, ctx, line)
		case strings.HasPrefix(block, "$ "):
			command, want := commandOf(block)
			typed, shown = typed+1, shown+1
			if got := shell(command); strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("%s\nprints\n%s\nand the README shows\n%s", command, got, want)
			}
		case strings.HasPrefix(block, "cat >"), strings.HasPrefix(block, "sed "):
			typed++
			shell(block)
		}
	}
	if typed < 6 || shown < 6 {
		t.Errorf("only %d commands and %d outputs were found in the README", typed, shown)
	}
}

var (
	printed = regexp.MustCompile(`^\d\d:\d\d:\d\d  `)
	lasted  = regexp.MustCompile(` after [0-9.]+m?s$`)
)

// blocks returns the indented blocks of some sections of a Markdown file.
func blocks(t *testing.T, file string, sections ...string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, section := range sections {
		_, after, found := strings.Cut(string(text), "\n## "+section+"\n")
		if !found {
			t.Fatalf("%s has no section %q", file, section)
		}
		body, _, _ := strings.Cut(after, "\n## ")
		printing := false // the paragraph before is what a command prints
		for _, paragraph := range strings.Split(body, "\n\n") {
			if !strings.HasPrefix(paragraph, "    ") {
				printing = false
				continue
			}
			block := strings.ReplaceAll(paragraph[4:], "\n    ", "\n")
			switch isCommand := strings.HasPrefix(block, "$ "); {
			case printing && !isCommand:
				out[len(out)-1] += "\n\n" + block
			default:
				printing = isCommand
				out = append(out, block)
			}
		}
	}
	return out
}

// commandOf cuts "$ command" with its continued lines from what it prints.
func commandOf(block string) (command, output string) {
	lines := strings.Split(block, "\n")
	for i, line := range lines {
		command += strings.TrimPrefix(line, "$ ") + "\n"
		if strings.Count(command, "'")%2 == 0 && !strings.HasSuffix(line, `\`) {
			return command, strings.Join(lines[i+1:], "\n")
		}
	}
	return command, ""
}
