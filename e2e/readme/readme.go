// Package readme reads the README's sessions, so that tests can play them.
package readme

import (
	"fmt"
	"os"
	"strings"
)

// Blocks returns the indented blocks of some sections of a Markdown file, in their
// order. What a command prints may have blank lines.
func Blocks(file string, sections ...string) (blocks []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for _, section := range sections {
		_, after, found := strings.Cut(string(text), "\n## "+section+"\n")
		if !found {
			return nil, fmt.Errorf("%s has no section %q", file, section)
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
				blocks[len(blocks)-1] += "\n\n" + block
			default:
				printing = isCommand
				blocks = append(blocks, block)
			}
		}
	}
	return blocks, nil
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
