package xds

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const rules = 91

// TestEveryRuleHasATest reads docs/protocol-rules.md: each rule has a row, and
// each row names tests that exist, or says why there is none.
func TestEveryRuleHasATest(t *testing.T) {
	root := ".."
	table, err := os.ReadFile(filepath.Join(root, "docs", "protocol-rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	next := 1
	named := make(map[string]bool)
	quoted := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(string(table)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 {
			continue
		}
		number, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue
		}
		if number != next {
			t.Errorf("the row of rule %d is where that of rule %d should be", number, next)
		}
		next = number + 1
		tests := quoted.FindAllStringSubmatch(cells[3], -1)
		if len(tests) == 0 && !strings.Contains(cells[4], "Not tested: ") {
			t.Errorf("rule %d: no test, and no reason", number)
		}
		for _, test := range tests {
			named[test[1]] = true
			if !exists(t, root, test[1]) {
				t.Errorf("rule %d: there is no test %s", number, test[1])
			}
		}
	}
	if next != rules+1 {
		t.Errorf("the table ends before rule %d", next)
	}
	scripts, err := filepath.Glob(filepath.Join(root, "testdata", "xds", "[0-9]*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		if name := filepath.Base(script); !named[name] && !strings.HasPrefix(name, "000-") {
			t.Errorf("the script %s is in no row", name)
		}
	}
}

// exists tells whether there is a script with a name, or a test "package.Name".
func exists(t *testing.T, root, test string) bool {
	t.Helper()
	pkg, name, ok := strings.Cut(test, ".Test")
	if !ok {
		_, err := os.Stat(filepath.Join(root, "testdata", "xds", test))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc Test"+name+"(") {
			return true
		}
	}
	return false
}
