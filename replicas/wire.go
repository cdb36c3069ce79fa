package replicas

import (
	"my-company.com/staticsite-operator/holdings"
	"my-company.com/staticsite-operator/replicas/replicasv1"
)

// maxSites bounds one report, and keeps it well below what gRPC accepts by default:
// more are sent in several.
const maxSites = 2_000

// encode writes what has changed, in as many reports as it takes, at least one.
// Nearly all sites are settled, at eight bytes each.
func encode(sites map[holdings.SiteVersion]holdings.Holding, proxies holdings.Proxies) []*replicasv1.WatchResponse {
	r := &replicasv1.WatchResponse{Proxies: uint32(proxies.Serving), Why: proxies.Why}
	all := []*replicasv1.WatchResponse{r}
	for version, h := range sites {
		if len(r.Gone)+len(r.Settled)+len(r.Exceptions) == maxSites {
			r = &replicasv1.WatchResponse{Proxies: r.Proxies, Why: r.Why}
			all = append(all, r)
		}
		switch {
		case h.Gone:
			r.Gone = append(r.Gone, uint64(version))
		case h.All():
			r.Settled = append(r.Settled, uint64(version))
		default:
			r.Exceptions = append(r.Exceptions, &replicasv1.Exception{
				Version: uint64(version), Settled: h.Settled, Words: h.Words,
				Acknowledged: uint32(h.Acknowledged), Refused: uint32(h.Refused), Trying: uint32(h.Trying),
			})
		}
	}
	return all
}

// decode is the inverse of encode, but that of settled sites nobody counts who
// acknowledged them: all have.
func decode(replica string, r *replicasv1.WatchResponse) holdings.Report {
	report := holdings.Report{
		Replica: replica, State: holdings.Heard, Build: r.Build, Proxies: int(r.Proxies), Why: r.Why, Reset: r.Id != 0,
		Sites: make(map[holdings.SiteVersion]holdings.Holding, len(r.Settled)+len(r.Exceptions)+len(r.Gone)),
	}
	for _, version := range r.Settled {
		report.Sites[holdings.SiteVersion(version)] = holdings.Holding{Settled: true}
	}
	for _, version := range r.Gone {
		report.Sites[holdings.SiteVersion(version)] = holdings.Holding{Gone: true}
	}
	for _, e := range r.Exceptions {
		report.Sites[holdings.SiteVersion(e.Version)] = holdings.Holding{
			Settled: e.Settled, Words: e.Words,
			Acknowledged: int(e.Acknowledged), Refused: int(e.Refused), Trying: int(e.Trying),
		}
	}
	return report
}
