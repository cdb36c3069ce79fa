package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// Etcd is one etcd member, alone in its cluster. Its data outlives its process.
type Etcd struct {
	// URL is where clients find it, for its whole life.
	URL string

	dir     string // its data
	owner   proc.Owner
	spec    proc.Spec
	process *proc.Process
}

// StartEtcd starts an etcd with no data.
func StartEtcd(ctx context.Context, owner proc.Owner) (*Etcd, error) {
	binary, err := parts.Find("etcd")
	if err != nil {
		return nil, err
	}
	client, err := proc.FreeAddress("127.0.0.1")
	if err != nil {
		return nil, err
	}
	peer, err := proc.FreeAddress("127.0.0.1")
	if err != nil {
		return nil, err
	}
	e := &Etcd{URL: "http://" + client, owner: owner, dir: filepath.Join(owner.ArtifactDir(), "etcd-"+portOf(client))}
	e.spec = proc.Spec{
		Name: "etcd",
		Path: binary,
		Args: []string{
			"--name=e2e",
			"--data-dir=" + e.dir,
			"--listen-client-urls=" + e.URL,
			"--advertise-client-urls=" + e.URL,
			"--listen-peer-urls=http://" + peer,
			"--initial-advertise-peer-urls=http://" + peer,
			"--initial-cluster=e2e=http://" + peer,
			"--unsafe-no-fsync", // the data need not survive the machine
			"--log-level=warn",
		},
		Ready: e.healthy,
	}
	return e, e.Restart(ctx)
}

func (e *Etcd) healthy(ctx context.Context) error {
	_, err := proc.Get(ctx, http.DefaultClient, e.URL+"/readyz")
	return err
}

// Kill9 kills it as if the machine lost power. The data stays.
func (e *Etcd) Kill9() { e.process.Kill() }

// Restart starts it again, on the same data and port, and waits until it is ready.
func (e *Etcd) Restart(ctx context.Context) (err error) {
	if e.process != nil {
		e.process.Stop()
	}
	e.process, err = proc.Start(ctx, e.owner, e.spec)
	return err
}

// Save stops it, makes a copy of its data, and starts it again. The error is about
// the copy or the start.
func (e *Etcd) Save(ctx context.Context) error {
	return e.whileStopped(ctx, func() error { return copyFolder(e.dir, e.dir+"-saved") })
}

// Restore stops it and starts it with the data as they were when they were saved, as
// people do when they have lost them: to clients its revisions go back.
func (e *Etcd) Restore(ctx context.Context) error {
	return e.whileStopped(ctx, func() error { return copyFolder(e.dir+"-saved", e.dir) })
}

func (e *Etcd) whileStopped(ctx context.Context, do func() error) error {
	e.process.Stop()
	if err := do(); err != nil {
		return fmt.Errorf("copy etcd's data: %w", err)
	}
	return e.Restart(ctx)
}

func copyFolder(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(from))
}

// Process returns the running process, for signals and its log.
func (e *Etcd) Process() *proc.Process { return e.process }

// Compact forgets all history. A watch that asks for an older revision is answered
// with 410 Gone; an API server that runs still has recent events in its memory, so a
// test that wants to see 410 kills and restarts that as well.
func (e *Etcd) Compact(ctx context.Context) error {
	var now struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	// "AA==" is the smallest key; whether it exists does not matter.
	if err := e.call(ctx, "range", map[string]any{"key": "AA=="}, &now); err != nil {
		return fmt.Errorf("read etcd's revision: %w", err)
	}
	arguments := map[string]any{"revision": now.Header.Revision, "physical": true}
	if err := e.call(ctx, "compaction", arguments, &struct{}{}); err != nil {
		return fmt.Errorf("compact etcd: %w", err)
	}
	return nil
}

// call uses etcd's JSON gateway, which saves its client library.
func (e *Etcd) call(ctx context.Context, method string, arguments, answer any) error {
	body, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL+"/v3/kv/"+method, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	return json.Unmarshal(text, answer)
}
