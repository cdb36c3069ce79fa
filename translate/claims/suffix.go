package claims

import (
	"iter"
	"strings"
)

// names is a set of domain names that finds those below a suffix without looking
// at the others: a tree of labels, the last one first.
type names struct {
	below map[string]*names // by label
	name  string            // the one that ends here, empty if none does
}

func (n *names) add(name string) {
	for rest, label := name, ""; rest != ""; {
		rest, label = cutLabel(rest)
		next := n.below[label]
		if next == nil {
			next = &names{}
			if n.below == nil {
				n.below = make(map[string]*names)
			}
			n.below[label] = next
		}
		n = next
	}
	n.name = name
}

// remove removes a name of which rest, at first all of it, lies below n. It says
// whether n is empty then.
func (n *names) remove(rest string) bool {
	if rest == "" {
		n.name = ""
	} else if rest, label := cutLabel(rest); n.below[label] != nil && n.below[label].remove(rest) {
		delete(n.below, label)
	}
	return n.name == "" && len(n.below) == 0
}

// under yields suffix, if it is in the set, and all names below it.
func (n *names) under(suffix string) iter.Seq[string] {
	for rest, label := suffix, ""; rest != "" && n != nil; {
		rest, label = cutLabel(rest)
		n = n.below[label]
	}
	return func(yield func(string) bool) { n.each(yield) }
}

func (n *names) each(yield func(string) bool) bool {
	if n == nil {
		return true
	}
	if n.name != "" && !yield(n.name) {
		return false
	}
	for _, next := range n.below {
		if !next.each(yield) {
			return false
		}
	}
	return true
}

// cutLabel cuts the last label from a name.
func cutLabel(name string) (rest, label string) {
	i := strings.LastIndexByte(name, '.')
	return name[:max(i, 0)], name[i+1:]
}

// suffixesOf yields a domain and every suffix of it that begins at a label.
func suffixesOf(domain string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for found := true; found; _, domain, found = strings.Cut(domain, ".") {
			if !yield(domain) {
				return
			}
		}
	}
}
