package xds

// keeper publishes to a store as the loop and translation do: what the store needs is
// served as long as that is so, whether whoever publishes has removed it or not.
type keeper struct {
	*Store
	gone map[ResourceName]*Resource // what was removed, as it was
}

func newKeeper() *keeper { return &keeper{NewStore(), make(map[ResourceName]*Resource)} }

// publish makes the changes, but for removals of what is needed.
func (k *keeper) publish(changes []Change) {
	needed := k.Needed()
	var now []Change
	for _, c := range changes {
		name := ResourceName{c.Type, c.Name}
		if c.Resource != nil {
			delete(k.gone, name)
		} else if old := k.served(name); old != nil {
			k.gone[name] = old
			if needed[c.Name] && removesLater(c.Type) {
				continue
			}
		}
		now = append(now, c)
	}
	k.Publish(now)
	k.keep()
}

// keep serves again what was removed and is needed, and removes what is needed no
// more.
func (k *keeper) keep() {
	needed := k.Needed()
	var changes []Change
	for name, r := range k.gone {
		served := k.served(name) != nil
		switch want := needed[name.Name] && removesLater(name.Type); {
		case want && !served:
			again := *r // It is in older snapshots, in another place.
			changes = append(changes, Change{name.Type, name.Name, &again})
		case served && !want:
			changes = append(changes, Change{Type: name.Type, Name: name.Name})
		}
	}
	if len(changes) > 0 {
		k.Publish(changes)
	}
}

func (k *keeper) served(name ResourceName) *Resource {
	if now := k.Latest(); now != nil {
		return now.lookup(name.Type, name.Name)
	}
	return nil
}
