package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/proc"
)

// counters returns a server's metrics by series, such as
// staticsite_xds_resources_total{type="scope"}.
func counters(ctx context.Context, address string) (map[string]float64, error) {
	text, err := proc.Get(ctx, http.DefaultClient, "http://"+address+"/metrics")
	if err != nil {
		return nil, err
	}
	counters := make(map[string]float64)
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		series, value, ok := strings.Cut(lines.Text(), " ")
		if !ok || series == "#" {
			continue
		}
		if counters[series], err = strconv.ParseFloat(value, 64); err != nil {
			return nil, fmt.Errorf("read metrics: %q: %w", lines.Text(), err)
		}
	}
	return counters, nil
}

// awaitFigures waits until a server shows these figures.
func awaitFigures(ctx context.Context, address string, want map[string]float64) error {
	return proc.Poll(ctx, func(ctx context.Context) error {
		got, err := counters(ctx, address)
		for series, value := range want {
			if is, ok := got[series]; err == nil && (!ok || is != value) {
				err = fmt.Errorf("%s is %v (there: %v), want %v", series, is, ok, value)
			}
		}
		return err
	})
}

// testFigures: the figures of a cluster's sites are those that kubectl counts.
func testFigures(t *testing.T, ctx context.Context, c *installation, r *replica, p *proxy) {
	before, err := counters(ctx, r.metrics)
	must(t, err)
	c.live(t, ctx, p, "figures", "one", "figures.example.com")
	must(t, c.apply(ctx, siteYAML("figures", "two", "figures.example.com", "one", 80)))
	_, err = c.awaitVerdict(ctx, "figures", "two", invalid("DomainConflict"))
	must(t, err)
	_, err = c.awaitVerdict(ctx, "figures", "one", good)
	must(t, err)
	out, err := c.kubectl(ctx, "", "get", "ssite", "-A", "-o", "json")
	must(t, err)
	var sites v1alpha1.StaticSiteList
	must(t, json.Unmarshal([]byte(out), &sites))
	want := map[string]float64{"staticsite_leader": 1, "staticsite_statuses_waiting": 0, "staticsite_status_lag_seconds": 0}
	for _, phase := range []v1alpha1.Phase{"Pending", "Provisioned", "Error"} {
		n := 0.0
		for _, site := range sites.Items {
			if site.Status.Phase == phase {
				n++
			}
		}
		want[fmt.Sprintf("staticsite_sites{phase=%q}", phase)] = n
	}
	must(t, awaitFigures(ctx, r.metrics, want))
	after, err := counters(ctx, r.metrics)
	must(t, err)
	if n := after["staticsite_acknowledged_seconds_count"] - before["staticsite_acknowledged_seconds_count"]; n < 1 || n > 2 { // the site, and perhaps its Service
		t.Errorf("%v acknowledgements were measured for one site", n)
	}
	must(t, c.Delete(ctx, ref("figures", "one"), ref("figures", "two")))
	want[`staticsite_sites{phase="Provisioned"}`]--
	want[`staticsite_sites{phase="Error"}`]--
	must(t, awaitFigures(ctx, r.metrics, want))
}

// TestFolderFigures: a folder has the figures that make sense without a cluster.
func TestFolderFigures(t *testing.T) {
	ctx := bounded(t, time.Minute)
	pod := startPod(t, 1, "pod").Address()
	e := startEdge(t, ctx, newFolder(t, map[string]string{"one.yaml": served("team", "one", "one.example.com", pod)}))
	p := e.startProxy(t, ctx, "envoy", proxyOptions{})
	must(t, awaitAnswer(ctx, p.address, "one.example.com", http.StatusOK, "pod"))
	phases := func(pending, provisioned, failed, measured float64) map[string]float64 {
		return map[string]float64{
			`staticsite_sites{phase="Pending"}`: pending, `staticsite_sites{phase="Provisioned"}`: provisioned, `staticsite_sites{phase="Error"}`: failed,
			"staticsite_acknowledged_seconds_count": measured,
		}
	}
	must(t, awaitFigures(ctx, metricsAddress, phases(0, 1, 0, 0)))
	e.sites.put(t, "two.yaml", served("team", "two", "two.example.com", pod))
	must(t, awaitFigures(ctx, metricsAddress, phases(0, 2, 0, 1)))
	e.sites.put(t, "two.yaml", served("team", "two", "one.example.com", pod))
	must(t, awaitFigures(ctx, metricsAddress, phases(0, 1, 1, 2)))
	e.sites.remove(t, "two.yaml")
	must(t, awaitFigures(ctx, metricsAddress, phases(0, 1, 0, 2)))
}
