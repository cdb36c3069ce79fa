package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

// Report is everything of one run.
type Report struct {
	Machine Machine
	Begun   time.Time
	Took    time.Duration
	Short   bool
	Tables  []Table
	Targets []Target
	Missing []Missing
	Data    map[string]any // the figures of each row, before they were rounded
}

// Missing is something that could not be measured.
type Missing struct {
	Work string
	What string
	Why  string
}

// Machine is what the figures depend on.
type Machine struct {
	CPU    string
	Cores  int
	Memory uint64 // bytes
	Kernel string
	Go     string
	Load   string // the load average when the run began: it should be near 0
}

// Miss notes what could not be measured, and returns why.
func (r *Report) Miss(work, what string, why error) string {
	r.Missing = append(r.Missing, Missing{work, what, why.Error()})
	return why.Error()
}

// Table is one row of work. A row with fewer cells than there are columns says in
// its last cell why the others are missing.
type Table struct {
	Title   string
	Note    string // below the title
	Columns []string
	Rows    [][]string
}

// Add adds a row: what it is about, and its figures, or why there are none.
func (t *Table) Add(about []string, missing string, figures ...string) {
	if missing != "" {
		figures = []string{"not measured: " + brief(missing)}
	}
	t.Rows = append(t.Rows, slices.Concat(about, figures))
}

// brief returns the first line of a reason, cut so that a table stays readable.
func brief(why string) string {
	const most = 200
	why, _, cut := strings.Cut(why, "\n")
	if letters := []rune(why); len(letters) > most {
		why, cut = string(letters[:most]), true
	}
	if cut {
		why += " ..."
	}
	return why
}

// Target is a figure that is to be reached.
type Target struct {
	Work string
	What string
	Want string
	Got  string
	Pass bool
}

// notMeasured is what stands in the place of a figure that is missing.
const notMeasured = "not measured"

// Reach adds a target: at most, or if least at least, want. A figure that is 0 or
// not a number was not measured.
func (r *Report) Reach(work, what string, got, want float64, least bool, unit string) {
	t := Target{Work: work, What: what, Got: format(got) + unit, Want: "at most " + format(want) + unit, Pass: got <= want}
	if least {
		t.Want, t.Pass = "at least "+format(want)+unit, got >= want
	}
	if got == 0 || math.IsNaN(got) || math.IsInf(got, 0) {
		t.Got, t.Pass = notMeasured, false
	}
	r.Targets = append(r.Targets, t)
}

// format shows three digits.
func format(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// Text returns the whole report for a terminal.
func (r *Report) Text() string {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "%s, %d cores, %s, Linux %s, %s, load %s at the start; took %s\n",
		m.CPU, m.Cores, Bytes(m.Memory), m.Kernel, m.Go, m.Load, r.Took.Round(time.Second))
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n%s\n", t.Title)
		if t.Note != "" {
			fmt.Fprintf(&b, "(%s)\n", t.Note)
		}
		b.WriteString(aligned(append([][]string{t.Columns}, t.Rows...)))
	}
	fmt.Fprintf(&b, "\nTargets\n%s", aligned(r.targets()))
	if len(r.Missing) > 0 {
		fmt.Fprintln(&b, "\nNot measured")
	}
	for _, m := range r.Missing {
		fmt.Fprintf(&b, "  %s: %s: %s\n", m.Work, m.What, strings.ReplaceAll(strings.TrimSpace(m.Why), "\n", "\n    "))
	}
	return b.String()
}

func (r *Report) targets() [][]string {
	rows := [][]string{{"", "work", "figure", "target", "measured"}}
	for _, t := range r.Targets {
		rows = append(rows, []string{t.verdict(), t.Work, t.What, t.Want, t.Got})
	}
	return rows
}

func (t Target) verdict() string {
	switch {
	case t.Got == notMeasured:
		return "NONE"
	case t.Pass:
		return "PASS"
	}
	return "MISS"
}

// aligned pads the columns; those after the first that hold figures are right
// aligned. The last cell of a row that is too short runs over the columns after it.
func aligned(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			if i < len(row)-1 || len(row) == len(widths) {
				widths[i] = max(widths[i], len([]rune(cell)))
			}
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", max(0, widths[i]-len([]rune(cell))))
			if i > 0 && cell != "" && cell[0] >= '0' && cell[0] <= '9' {
				line.WriteString("  " + pad + cell)
			} else {
				line.WriteString("  " + cell + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// WriteJSON writes the report to a file.
func (r *Report) WriteJSON(file string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

const (
	beginMark = "<!-- bench:begin -->"
	endMark   = "<!-- bench:end -->"
)

// Update replaces what stands between the two marks in a Markdown page.
func (r *Report) Update(page string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), beginMark)
	_, after, found2 := strings.Cut(rest, endMark)
	if !found || !found2 {
		return fmt.Errorf("update %s: it has no %s and %s", page, beginMark, endMark)
	}
	return os.WriteFile(page, []byte(before+beginMark+"\n"+r.markdown()+endMark+after), 0o644)
}

func (r *Report) markdown() string {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "\nMeasured on %s: %s, %d cores, %s of memory, Linux %s, %s. The run took %s.\n",
		r.Begun.UTC().Format("2 January 2006"), m.CPU, m.Cores, Bytes(m.Memory), m.Kernel, m.Go, r.Took.Round(time.Second))
	b.WriteString("\n### Targets\n\n" + markdownTable(r.targets()))
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n### %s\n\n", t.Title)
		if t.Note != "" {
			fmt.Fprintf(&b, "%s\n\n", t.Note)
		}
		b.WriteString(markdownTable(append([][]string{t.Columns}, t.Rows...)))
	}
	return b.String() + "\n"
}

func markdownTable(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	return b.String()
}

// Time shows a duration with three digits.
func Time(d time.Duration) string {
	switch {
	case d >= time.Second:
		return format(d.Seconds()) + " s"
	case d >= time.Millisecond:
		return format(float64(d)/1e6) + " ms"
	}
	return format(float64(d)/1e3) + " µs"
}

// Bytes shows a size with three digits.
func Bytes(n uint64) string {
	switch f := float64(n); {
	case f >= 1e9:
		return format(f/1e9) + " GB"
	case f >= 1e6:
		return format(f/1e6) + " MB"
	case f >= 1e4:
		return format(f/1e3) + " kB"
	}
	return fmt.Sprintf("%d B", n)
}

// Ratio shows how many times one figure is another; nothing if there is no other.
func Ratio[T int | uint64 | time.Duration](a, b T) string {
	if b == 0 {
		return ""
	}
	return format(float64(a)/float64(b)) + "x"
}

// Count shows a number with a comma for the thousands.
func Count(n int) string {
	if n >= 1000 {
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return fmt.Sprint(n)
}
