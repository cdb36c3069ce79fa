package control

import (
	"maps"
	"slices"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/translate/claims"
	"my-company.com/staticsite-operator/xds"
)

// partSize is how many objects are translated at a time. A start with 100,000
// sites would otherwise hold all they become as messages, ten times what is kept
// of them, and leave a heap full of holes behind.
const partSize = 3_000

// translate translates and encodes changes, part by part, and returns what all of
// them came to: of each site the last verdict, of each resource all changes, of
// which the last counts.
func (l *Loop) translate(changes map[object.Ref]object.Object) (verdicts []translate.Verdict, problems []claims.Problem,
	changed []xds.Change, invalid map[xds.ResourceName]error) {
	invalid = make(map[xds.ResourceName]error)
	parts := l.parts(changes)
	for _, part := range parts {
		delta := l.world.Apply(part)
		verdicts = append(verdicts, delta.Verdicts...)
		problems = append(problems, delta.Problems...)
		changed = l.encode(changed, delta.Resources, invalid)
	}
	if len(parts) > 1 {
		verdicts = lastOfEach(verdicts)
	}
	return verdicts, problems, changed, invalid
}

// parts cuts changes between namespaces: what a site depends on is mostly in its
// own. In layout single each part would render the whole table.
func (l *Loop) parts(changes map[object.Ref]object.Object) (parts []map[object.Ref]object.Object) {
	if l.single || len(changes) <= l.partSize {
		return []map[object.Ref]object.Object{changes}
	}
	namespaces := make(map[string][]object.Ref)
	for ref := range changes {
		namespaces[ref.Key.Namespace] = append(namespaces[ref.Key.Namespace], ref)
	}
	var part map[object.Ref]object.Object
	for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
		if part == nil || len(part) >= l.partSize {
			part = make(map[object.Ref]object.Object)
			parts = append(parts, part)
		}
		for _, ref := range namespaces[namespace] {
			part[ref] = changes[ref]
		}
	}
	return parts
}

// lastOfEach returns the last verdict of each site.
func lastOfEach(verdicts []translate.Verdict) []translate.Verdict {
	last := make(map[object.Key]int, len(verdicts))
	for i, v := range verdicts {
		last[v.Site] = i
	}
	kept := verdicts[:0]
	for i, v := range verdicts {
		if last[v.Site] == i {
			kept = append(kept, v)
		}
	}
	return kept
}
