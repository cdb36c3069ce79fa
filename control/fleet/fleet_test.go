package fleet

import (
	"slices"
	"testing"

	"my-company.com/staticsite-operator/holdings"
)

const docs, handbook = holdings.SiteVersion(1), holdings.SiteVersion(2)

// leader returns the fleet of a leader with one other replica, which is not heard yet.
func leader() *Fleet {
	f := Alone()
	f.Name("v1")
	f.Follow()
	f.Lead([]string{"self", "b"})
	f.Hear(holdings.Report{Replica: "self", State: holdings.Self})
	return f
}

func report(proxies int, sites map[holdings.SiteVersion]holdings.Holding) holdings.Report {
	return holdings.Report{Replica: "b", State: holdings.Heard, Proxies: proxies, Build: "v1", Sites: sites}
}

func reset(proxies int, sites map[holdings.SiteVersion]holdings.Holding) holdings.Report {
	r := report(proxies, sites)
	r.Reset = true
	return r
}

// Who can say what of the others, and what is missing.
func TestWhatIsKnownOfOthers(t *testing.T) {
	settled := map[holdings.SiteVersion]holdings.Holding{docs: {Settled: true}}
	refused := map[holdings.SiteVersion]holdings.Holding{docs: {Settled: true, Acknowledged: 1, Refused: 1, Words: "no"}}
	older := reset(2, settled)
	older.Build = "v0"
	for name, c := range map[string]struct {
		fleet       *Fleet
		hear        []holdings.Report
		version     holdings.SiteVersion
		holds, deaf bool
		want        Opinion
	}{
		"alone":       {fleet: Alone(), version: docs, holds: true},
		"a follower":  {fleet: following(), version: docs, want: Opinion{Following: true}},
		"lost":        {fleet: lost(), version: docs, deaf: true, want: Opinion{Missing: "; this replica is not among the endpoints of its own Service (--replicas-service), so the others are not known"}},
		"silent":      {fleet: leader(), version: docs, deaf: true, want: Opinion{Missing: "; replica b cannot be reached, so what its proxies hold is not known"}},
		"settled":     {fleet: leader(), hear: []holdings.Report{reset(2, settled)}, version: docs, holds: true, want: Opinion{Serving: 2, Holding: holdings.Holding{Acknowledged: 2}}},
		"behind":      {fleet: leader(), hear: []holdings.Report{reset(2, settled)}, version: handbook, want: Opinion{Serving: 2, Missing: "; replica b does not know of this generation yet"}},
		"older":       {fleet: leader(), hear: []holdings.Report{older}, version: handbook, want: Opinion{Serving: 2, Missing: "; replica b is of another version of the control plane, and is waited for until all are of one"}},
		"no proxies":  {fleet: leader(), hear: []holdings.Report{reset(0, nil)}, version: handbook, holds: true},
		"has ended":   {fleet: leader(), hear: []holdings.Report{reset(2, refused), {Replica: "b", State: holdings.Vacant}}, version: docs, holds: true},
		"refused":     {fleet: leader(), hear: []holdings.Report{reset(2, refused)}, version: docs, holds: true, want: Opinion{Serving: 2, Holding: holdings.Holding{Acknowledged: 1, Refused: 1, Words: "no"}}},
		"was refused": {fleet: leader(), hear: []holdings.Report{reset(2, refused), report(2, settled)}, version: docs, holds: true, want: Opinion{Serving: 2, Holding: holdings.Holding{Acknowledged: 2}}},
		"is gone":     {fleet: leader(), hear: []holdings.Report{reset(2, settled), report(2, map[holdings.SiteVersion]holdings.Holding{docs: {Gone: true}})}, version: docs, want: Opinion{Serving: 2, Missing: "; replica b does not know of this generation yet"}},
		"silent since the refusal": {fleet: leader(), hear: []holdings.Report{reset(2, refused), {Replica: "b", State: holdings.Silent}}, version: docs, deaf: true,
			want: Opinion{Holding: holdings.Holding{Refused: 1, Words: "no"}, Missing: "; replica b cannot be reached, so what its proxies hold is not known"}},
	} {
		for _, r := range c.hear {
			if _, ok := c.fleet.Hear(r); !ok {
				t.Errorf("%s: %+v is no news", name, r)
			}
		}
		if got := c.fleet.Of(c.version); got != c.want {
			t.Errorf("%s: known is %+v, want %+v", name, got, c.want)
		}
		if holds, deaf := c.fleet.Holds(c.version), c.fleet.Deaf(); holds != c.holds || deaf != c.deaf || c.fleet.Serving() != c.want.Serving {
			t.Errorf("%s: holds %t, deaf %t, %d serving; want %t, %t, %d", name, holds, deaf, c.fleet.Serving(), c.holds, c.deaf, c.want.Serving)
		}
	}
}

func following() *Fleet {
	f := leader()
	f.Hear(reset(2, map[holdings.SiteVersion]holdings.Holding{docs: {Refused: 1, Words: "no"}}))
	f.Follow()
	return f
}

func lost() *Fleet {
	f := Alone()
	f.Follow()
	f.Lead([]string{"b"})
	f.Hear(holdings.Report{Replica: "b", State: holdings.Vacant})
	return f
}

// A report is about the sites in it; about more only if the replica itself is seen
// differently.
func TestWhatNewsIsAbout(t *testing.T) {
	f := leader()
	refused := map[holdings.SiteVersion]holdings.Holding{docs: {Refused: 1}, handbook: {Settled: true}}
	expect := func(what string, got News, all bool, versions ...holdings.SiteVersion) {
		t.Helper()
		slices.Sort(got.Versions)
		if got.Versions = slices.Compact(got.Versions); got.All != all || !slices.Equal(got.Versions, versions) {
			t.Errorf("%s is about %+v, want %v, all: %t", what, got, versions, all)
		}
	}
	news, _ := f.Hear(reset(1, refused))
	expect("the first report", news, true, docs)
	news, _ = f.Hear(report(1, map[holdings.SiteVersion]holdings.Holding{handbook: {Trying: 1}}))
	expect("a report", news, false, handbook)
	news, _ = f.Hear(report(0, nil))
	expect("the last proxy", news, true, docs, handbook)
	news, _ = f.Hear(holdings.Report{Replica: "b", State: holdings.Silent})
	expect("silence", news, true, docs, handbook)
	if _, ok := f.Hear(holdings.Report{Replica: "b", State: holdings.Silent}); ok {
		t.Error("silence is news twice")
	}
	if _, ok := f.Hear(holdings.Report{Replica: "stranger", State: holdings.Heard}); ok {
		t.Error("a replica that is none of ours is heard")
	}
	news, _ = f.Hear(reset(1, nil))
	expect("a new beginning", news, true, docs, handbook)
	f.Hear(report(1, refused))
	expect("a replica that leaves", News{Versions: f.Lead([]string{"self"})}, false, docs)
}
