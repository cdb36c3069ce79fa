package explain

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// most is how many rows of one kind are printed; JSON has them all.
const most = 12

// Text is the explanation for a person on call: the verdict, the facts, and the
// next thing to do, from the top down.
func (e *Explanation) Text() string {
	var facts strings.Builder
	t := &table{writer: tabwriter.NewWriter(&facts, 0, 0, 2, ' ', 0)}
	e.writeClaims(t)
	written := map[string]bool{} // Some conditions only sum up others.
	for _, c := range e.Conditions {
		message := c.Message
		if written[message] || c.Status == "True" {
			message = ""
		}
		written[message] = true
		t.row("Conditions", c.Type, c.Status, c.Reason, message)
	}
	t.flush()
	e.writeWay(t)
	e.writeProxies(t)
	t.list("Nearest", e.Nearest)
	t.list("Notes", e.Notes)

	parts := []string{oneLine(e.Verdict) + "\n", facts.String(), "Next: " + oneLine(e.Next) + "\n"}
	if e.Example != "" {
		parts = append(parts, "    "+strings.ReplaceAll(strings.TrimSpace(e.Example), "\n", "\n    ")+"\n")
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" })
	return strings.Join(parts, "\n")
}

func (e *Explanation) writeClaims(t *table) {
	for _, c := range e.Claims {
		label := "Waiting"
		if c.Holds {
			label = "Holder"
		}
		t.row(label, "StaticSite "+c.Site, "("+c.Why+")")
	}
	if len(e.Claims) == 0 && e.Domain != "" && e.Reason != reasonNoObjects {
		t.row("Holder", "nobody, by "+e.Source)
	}
	t.flush()
}

func (e *Explanation) writeWay(t *table) {
	if r := e.Route; r != nil {
		where := "scope " + r.Resource
		if r.Layout == "single" {
			where = "route configuration " + r.Resource + ", virtual host " + r.VirtualHost
		}
		t.row("Route", fmt.Sprintf("%s: %s%s", where, r.Match, map[string]string{fromObjects: " (by the objects: no proxy is known to have acknowledged it)"}[r.From]))
		for i, line := range r.Features {
			if i == most {
				t.row("Features", fmt.Sprintf("and %d more", len(r.Features)-most))
				break
			}
			t.row("Features", line)
		}
	}
	if c := e.Cluster; c != nil {
		t.row("Cluster", c.Name)
	}
	t.flush()
	for i, p := range e.Endpoints {
		if i == most {
			t.row("Endpoints", fmt.Sprintf("and %d more", len(e.Endpoints)-most))
			break
		}
		t.row("Endpoints", p.Address, p.state(), p.Zone)
	}
	t.flush()
}

func (p Endpoint) state() string {
	switch {
	case p.Ready && p.Used:
		return "ready"
	case p.Used && p.Draining:
		return "about to end, used until one is ready"
	case p.Used:
		return "not ready, and still used by proxies"
	case p.Ready:
		return "ready, and not used"
	}
	return "not ready"
}

func (e *Explanation) writeProxies(t *table) {
	for _, s := range e.Servers {
		if s.Error != "" {
			t.row("Proxies", "not known: the server at "+s.Address+" could not be asked: "+s.Error)
		}
	}
	shown, fine := 0, 0
	for _, wanted := range []bool{false, true} { // Those that are behind come first.
		for _, p := range e.Proxies {
			if (p.State == Acknowledged) != wanted {
				continue
			}
			if shown++; shown > most {
				fine++
				continue
			}
			detail := slices.DeleteFunc([]string{p.Resource, p.Error}, func(s string) bool { return s == "" })
			t.row("Proxies", e.proxyName(p), string(p.State), strings.Join(detail, ": "))
		}
	}
	if fine > 0 {
		t.row("Proxies", fmt.Sprintf("and %d more", fine))
	}
	t.flush()
}

// table is rows of aligned cells; the label of a group stands in its first row.
type table struct {
	writer *tabwriter.Writer
	label  string
}

const labelWidth = 12

func (t *table) row(label string, cells ...string) {
	if label == t.label {
		label = ""
	} else {
		t.label = label
	}
	for len(cells) > 1 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	for i, cell := range cells {
		cells[i] = oneLine(cell)
	}
	fmt.Fprintf(t.writer, "%-*s%s\n", labelWidth, label, strings.Join(cells, "\t"))
}

func (t *table) list(label string, texts []string) {
	for _, text := range texts {
		t.row(label, text)
	}
	t.flush()
}

// flush ends a block: cells below it are aligned anew.
func (t *table) flush() { t.writer.Flush() }

// oneLine keeps what others wrote from looking like our own lines.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
