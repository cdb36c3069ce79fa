package explain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/spelling"
	"my-company.com/staticsite-operator/translate"
)

// order says of each claim on a domain, in the order in which the domain would be
// given, why it is where it is.
func order(claims []translate.Claim, domain string) []Claim {
	var out []Claim
	for i, c := range claims {
		claim := Claim{Site: c.Site.String(), Holds: slices.Contains(c.Verdict.Holds, domain)}
		switch {
		case claim.Holds && len(claims) == 1:
			claim.Why = "nobody else claims it"
		case claim.Holds:
			claim.Why = "it " + before(c, claims[1])
		case c.Verdict.Accepted.Reason != conflict:
			claim.Why = c.Verdict.Accepted.Message
		default:
			claim.Why = "after " + claims[i-1].Site.String() + ", which " + before(claims[i-1], c)
		}
		out = append(out, claim)
	}
	return out
}

// before says why claim x goes before claim y.
func before(x, y translate.Claim) string {
	switch {
	case x.Held != y.Held:
		return "has it in its status"
	case x.Valid != y.Valid:
		return "has a valid specification"
	case !x.Created.Equal(y.Created) && y.Created.IsZero():
		return "has an age"
	case !x.Created.Equal(y.Created):
		return fmt.Sprintf("is older (%s)", x.Created.UTC().Format(time.RFC3339))
	}
	return "comes first by name"
}

// nearest returns the known domains and sites that could have been meant, the
// likeliest first.
func nearest(t Target, known []Neighbour) []string {
	const most = 3
	type candidate struct {
		text  string
		slips int
	}
	var near []candidate
	for _, n := range known {
		slips, ok := distance(t.Domain, n.Domain, ".")
		if t.Site != (object.Key{}) {
			slips, ok = distance(t.Site.String(), n.Site.String(), "/")
		}
		if ok {
			near = append(near, candidate{fmt.Sprintf("%s (StaticSite %s)", n.Domain, n.Site), slips})
		}
	}
	slices.SortFunc(near, func(x, y candidate) int {
		return cmp.Or(cmp.Compare(x.slips, y.slips), cmp.Compare(x.text, y.text))
	})
	var texts []string
	for _, c := range near[:min(most, len(near))] {
		texts = append(texts, c.text)
	}
	return texts
}

// distance is spelling.Distance of names that have parts: kb.example.com is not
// nearly api.example.com, although most of it is the same.
func distance(a, b, separator string) (slips int, near bool) {
	x, y := strings.Split(a, separator), strings.Split(b, separator)
	if len(x) != len(y) {
		return spelling.Distance(a, b)
	}
	for i := range x {
		n, near := spelling.Distance(x[i], y[i])
		if !near {
			return 0, false
		}
		slips += n
	}
	return slips, true
}
