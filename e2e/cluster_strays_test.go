package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"my-company.com/staticsite-operator/api/v1alpha1"
	"my-company.com/staticsite-operator/e2e/proc"
)

// A stray is what somebody else writes into the status of a site.
type stray struct {
	name    string
	manager string
	how     types.PatchType
	status  string // JSON
	own     string // a condition in it that is no concern of ours
	writes  int    // that put it right
}

// condition is one as others write it.
func condition(typ, status string) string {
	return fmt.Sprintf(`{"type": %q, "status": %q, "reason": "Stray", "message": "m", "lastTransitionTime": "2020-01-01T00:00:00Z", "observedGeneration": 1}`, typ, status)
}

var strays = []stray{
	{"Stalled, applied", "person", types.ApplyPatchType, `{"conditions": [` + condition("Stalled", "True") + `]}`, "", 1},
	{"Reconciling, applied", "person", types.ApplyPatchType, `{"conditions": [` + condition("Reconciling", "True") + `]}`, "", 1},
	{"Ready, applied", "person", types.ApplyPatchType, `{"conditions": [` + condition("Ready", "False") + `]}`, "", 1},
	{"somebody's own condition", "scanner", types.ApplyPatchType, `{"conditions": [` + condition("Scanned", "True") + `]}`, "Scanned", 0},
	{"both kinds", "scanner", types.ApplyPatchType, `{"conditions": [` + condition("Stalled", "True") + `,` + condition("Scanned", "True") + `]}`, "Scanned", 1},
	{"what a later version of ours left behind", "staticsite-operator", types.ApplyPatchType, `{"conditions": [` + condition("Futuristic", "True") + `]}`, "", 1},
	{"each field, applied", "restore", types.ApplyPatchType, `{"phase": "Error", "message": "old", "domains": ["old.example.com"], "observedGeneration": 7}`, "", 1},
	{"a status of then, patched", "restore", types.MergePatchType, `{"phase": "Error", "message": "old", "domains": [], "conditions": [` + condition("Accepted", "False") + `,` + condition("Stalled", "True") + `]}`, "", 1},
	{"nothing at all", "restore", types.MergePatchType, `{"phase": null, "message": null, "domains": null, "conditions": null, "observedGeneration": null}`, "", 1},
	{"times that are none of ours", "restore", types.ApplyPatchType, `{"conditions": [{"type": "Stalled", "status": "True", "reason": "Stray", "message": "", "lastTransitionTime": "9999-01-01T00:00:00Z"}]}`, "", 1},
}

// write writes it into the status of a site.
func (s stray) write(ctx context.Context, c *installation, namespace, name string) error {
	body := fmt.Sprintf(`{"apiVersion": %q, "kind": %q, "metadata": {"namespace": %q, "name": %q}, "status": %s}`,
		v1alpha1.GroupVersion, v1alpha1.Kind, namespace, name, s.status)
	options := metav1.PatchOptions{FieldManager: s.manager}
	if force := true; s.how == types.ApplyPatchType {
		options.Force = &force
	}
	_, err := c.Dynamic.Resource(v1alpha1.Resource).Namespace(namespace).Patch(ctx, name, s.how, []byte(body), options, "status")
	return err
}

// testStrays: whatever others have written into a status, and however they own it,
// one write makes it say again what is so; what is their own stays theirs.
func testStrays(t *testing.T, ctx context.Context, c *installation, r *replica, p *proxy) {
	c.live(t, ctx, p, "strays", "fought", "fought.example.com")
	mk := func(name string) *v1alpha1.StaticSite {
		t.Helper()
		must(t, c.apply(ctx, siteYAML("strays", name, name+".example.com", "fought", 80)))
		site, err := c.awaitVerdict(ctx, "strays", name, good)
		must(t, err)
		return site
	}
	writes := func(name string) int { return len(c.requests(t, "", statusWritesOf("strays", name))) }
	for i, s := range strays {
		name := fmt.Sprintf("stray-%d", i)
		site := mk(name)
		before := writes(name)
		must(t, s.write(ctx, c, "strays", name))
		must(t, c.awaitStatus(ctx, site, s.own))
		mk(fmt.Sprintf("next-%d", i)) // had there been more to write of this one, it would be before that
		if got := writes(name) - before; got != s.writes {
			t.Errorf("%s: %d writes, want %d", s.name, got, s.writes)
		}
		if s.own != "" {
			must(t, c.expectOwner(ctx, name, s.manager, s.own))
			must(t, stray{manager: s.manager, how: types.ApplyPatchType, status: `{}`}.write(ctx, c, "strays", name)) // it takes back what it owns
			must(t, c.awaitStatus(ctx, site, ""))
		}
	}

	// Somebody who never gives in is answered a few times, then more and more slowly.
	fought, err := c.awaitVerdict(ctx, "strays", "fought", good)
	must(t, err)
	from, before := r.Log.Len(), writes("fought")
	fighter := stray{manager: "fighter", how: types.ApplyPatchType, status: `{"conditions": [` + condition("Stalled", "True") + `]}`}
	for range 100 {
		must(t, fighter.write(ctx, c, "strays", "fought"))
	}
	const said = "a status is changed by others again and again, writing it more slowly from now on: only this program's leader may write it"
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		if r.logged(from, said) > 0 {
			return nil
		}
		return fighter.write(ctx, c, "strays", "fought")
	}))
	must(t, proc.Poll(ctx, func(ctx context.Context) error {
		if err := fighter.write(ctx, c, "strays", "fought"); err != nil {
			return err
		}
		got, err := counters(ctx, r.metrics)
		if err == nil && got["staticsite_statuses_slowed"] != 1 {
			err = fmt.Errorf("%v statuses are slowed", got["staticsite_statuses_slowed"])
		}
		return err
	}))
	must(t, c.awaitStatus(ctx, fought, ""))
	line, err := r.Log.Wait(ctx, from, saying(said))
	must(t, err)
	if managers := fmt.Sprint(line.Fields["managers"]); managers != "[fighter]" {
		t.Errorf("said of %s", managers)
	}
	if got := writes("fought") - before; got > 20 {
		t.Errorf("%d writes against somebody who never gives in", got)
	}
	must(t, awaitAnswer(ctx, p.address, "fought.example.com", http.StatusOK, "fought-1"))
}

// awaitStatus waits until the status is that of before, but for one condition that is
// there as well, if any, and for times.
func (c *installation) awaitStatus(ctx context.Context, before *v1alpha1.StaticSite, own string) error {
	want, err := comparable(before.Status, "")
	if err != nil {
		return err
	}
	return proc.Poll(ctx, func(ctx context.Context) error {
		now, err := c.site(ctx, before.Namespace, before.Name)
		if err != nil {
			return err
		}
		got, err := comparable(now.Status, own)
		if err == nil && got != want {
			err = fmt.Errorf("the status is %s, want %s", got, want)
		}
		return err
	})
}

// comparable is a status without times and without one condition, which must be there.
func comparable(status v1alpha1.StaticSiteStatus, own string) (string, error) {
	status = *status.DeepCopy()
	is := func(c metav1.Condition) bool { return c.Type == own }
	if own != "" && !slices.ContainsFunc(status.Conditions, is) {
		return "", fmt.Errorf("condition %s is not there", own)
	}
	status.Conditions = slices.DeleteFunc(status.Conditions, is)
	for i := range status.Conditions {
		status.Conditions[i].LastTransitionTime = metav1.Time{}
	}
	text, err := json.Marshal(status)
	return string(text), err
}

// expectOwner checks that a field manager still owns its condition.
func (c *installation) expectOwner(ctx context.Context, name, manager, typ string) error {
	site, err := c.Get(ctx, ref("strays", name))
	if err != nil {
		return err
	}
	for _, entry := range site.GetManagedFields() {
		var fields map[string]any
		if entry.Manager != manager || json.Unmarshal(entry.FieldsV1.Raw, &fields) != nil {
			continue
		}
		if _, owns, _ := unstructured.NestedMap(fields, "f:status", "f:conditions", `k:{"type":"`+typ+`"}`); owns {
			return nil
		}
	}
	return fmt.Errorf("%s does not own condition %s any more", manager, typ)
}
