package control

import (
	"slices"

	"my-company.com/staticsite-operator/index"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/xds"
)

// users are whose resource each is: nearly always one site's. It is asked for
// exceptions alone, and there mostly are none. So it is made when the first one
// comes, which takes half a microsecond a site, and dropped with the last.
type users map[xds.ResourceName][]*site

func usersOf(sites *index.Table[object.Key, site]) users {
	u := make(users, 2*sites.Len())
	for s := range sites.All() {
		u.add(s)
	}
	return u
}

func (u users) add(s *site) {
	if u == nil {
		return
	}
	for _, name := range s.resources {
		u[name] = append(u[name], s)
	}
}

func (u users) remove(s *site) {
	if u == nil {
		return
	}
	for _, name := range s.resources {
		of := u[name]
		i, last := slices.Index(of, s), len(of)-1
		of[i], of[last] = of[last], nil
		if u[name] = of[:last]; last == 0 {
			delete(u, name)
		}
	}
}

// shared reports whether a resource is of several sites.
func (u users) shared(name xds.ResourceName) bool { return len(u[name]) > 1 }
