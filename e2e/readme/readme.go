// Package readme reads the sessions in the README and in docs/, so that tests can
// play them.
package readme

import (
	"fmt"
	"os"
	"strings"
)

// Page returns the indented blocks of a Markdown file, in their order.
func Page(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return blocks(string(text)), nil
}

// Section returns the indented blocks of one section of a Markdown file, in their
// order.
func Section(file, section string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	_, after, found := strings.Cut(string(text), "\n## "+section+"\n")
	if !found {
		return nil, fmt.Errorf("%s has no section %q", file, section)
	}
	body, _, _ := strings.Cut(after, "\n## ")
	return blocks(body), nil
}

// blocks returns the indented blocks of a Markdown text. What a command prints may
// have blank lines.
func blocks(text string) (blocks []string) {
	printing := false // the paragraph before is what a command prints
	for _, paragraph := range strings.Split(text, "\n\n") {
		if !strings.HasPrefix(paragraph, "    ") {
			printing = false
			continue
		}
		block := strings.ReplaceAll(paragraph[4:], "\n    ", "\n")
		switch isCommand := strings.HasPrefix(block, "$ "); {
		case printing && !isCommand:
			blocks[len(blocks)-1] += "\n\n" + block
		default:
			printing = isCommand
			blocks = append(blocks, block)
		}
	}
	return blocks
}

// Command cuts "$ command", with its continued lines, from what it prints.
func Command(block string) (command, output string) {
	lines := strings.Split(block, "\n")
	for i, line := range lines {
		command += strings.TrimPrefix(line, "$ ") + "\n"
		if strings.Count(command, "'")%2 == 0 && !strings.HasSuffix(line, `\`) {
			return command, strings.Join(lines[i+1:], "\n")
		}
	}
	return command, ""
}
