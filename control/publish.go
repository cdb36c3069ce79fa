package control

import (
	"fmt"
	"slices"

	"go.uber.org/zap"

	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// encode makes xDS resources of translated ones and adds them to changes. One that
// cannot be encoded, or that its generated validator refuses, is withheld: neither
// it nor an earlier form in changes gets into any snapshot, what is served under
// its name stays, and its owners are told by invalid.
func (l *Loop) encode(changes []xds.Change, resources []translate.Resource, invalid map[xds.ResourceName]error) []xds.Change {
	changes = slices.Grow(changes, len(resources))
	for _, r := range resources {
		t, ok := xds.TypeByURL(r.Type)
		if !ok {
			l.log.DPanic("translated to a type that is not served", zap.String("type", r.Type))
			continue
		}
		c := xds.Change{Type: t, Name: r.Name}
		if r.Message != nil {
			encoded, err := encodeOne(t, r)
			if err != nil {
				invalid[xds.ResourceName{Type: t, Name: r.Name}] = err
				l.log.Error("resource withheld", zap.Stringer("type", t), zap.String("name", r.Name), zap.Error(err))
				continue
			}
			c.Resource = encoded
		}
		if r.Placeholder {
			// Translation knows each site's last good form: what is served instead of one
			// is another site's. It goes, also from proxies that come back with it.
			c.Resource.Placeholder = !l.serves(xds.ResourceName{Type: t, Name: r.Name})
		}
		delete(invalid, xds.ResourceName{Type: t, Name: r.Name})
		changes = append(changes, c)
	}
	if len(invalid) > 0 {
		changes = slices.DeleteFunc(changes, func(c xds.Change) bool {
			return invalid[xds.ResourceName{Type: c.Type, Name: c.Name}] != nil
		})
	}
	return changes
}

// serves reports whether something is served under a name.
func (l *Loop) serves(name xds.ResourceName) bool {
	now := l.store.Latest()
	return now != nil && now.VersionOf(name) != ""
}

func encodeOne(t xds.Type, r translate.Resource) (*xds.Resource, error) {
	if v, ok := r.Message.(interface{ ValidateAll() error }); ok {
		if err := v.ValidateAll(); err != nil {
			return nil, err
		}
	}
	encoded, err := xds.NewResource(t, r.Message)
	if err != nil {
		return nil, err
	}
	if encoded.Name != r.Name {
		return nil, fmt.Errorf("%s resource %q carries the name %q", t, r.Name, encoded.Name)
	}
	encoded.Again, encoded.Needs = r.Again, r.Needs
	return encoded, nil
}
