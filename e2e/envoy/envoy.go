package envoy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"my-company.com/staticsite-operator/e2e/netns"
	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// Options say what to start.
type Options struct {
	// Name is what errors and log files are called by; "envoy" if empty.
	Name string
	// Bootstrap is the configuration, YAML or JSON.
	Bootstrap string
	// Concurrency is the number of worker threads; 2 if zero.
	Concurrency int
	// LogLevel is Envoy's, for all components; "warning" if empty.
	LogLevel string
	// Host is where it runs; nil: where the tests do. Its admin interface is then
	// on the host's own address.
	Host *netns.Host
	// Args are added to the command line.
	Args []string
	// Line, if set, gets each line of Envoy's log; see [proc.Spec].
	Line func([]byte)
}

// Envoy is an Envoy that was started.
type Envoy struct {
	owner     proc.Owner
	spec      proc.Spec
	process   *proc.Process
	adminFile string // Envoy writes its admin address there
}

// Start starts an Envoy and waits until it is live, which it is once it has its
// first configuration; owner's end stops it.
func Start(ctx context.Context, owner proc.Owner, options Options) (*Envoy, error) {
	e, err := Launch(ctx, owner, options)
	if err != nil {
		return nil, err
	}
	return e, e.WaitLive(ctx)
}

// Launch starts an Envoy and waits only until its admin interface answers: for
// tests of what happens before it is live.
func Launch(ctx context.Context, owner proc.Owner, options Options) (*Envoy, error) {
	if options.Name == "" {
		options.Name = "envoy"
	}
	if options.Concurrency == 0 {
		options.Concurrency = 2
	}
	if options.LogLevel == "" {
		options.LogLevel = "warning"
	}
	binary, err := parts.Envoy()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(owner.ArtifactDir(), options.Name+"-")
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", options.Name, err)
	}
	bootstrap := filepath.Join(dir, "bootstrap.yaml")
	if err := os.WriteFile(bootstrap, []byte(options.Bootstrap), 0o644); err != nil {
		return nil, fmt.Errorf("start %s: %w", options.Name, err)
	}
	e := &Envoy{owner: owner, adminFile: filepath.Join(dir, "admin-address")}
	e.spec = proc.Spec{
		Name: options.Name,
		Path: binary,
		Args: append([]string{
			"--config-path", bootstrap,
			"--admin-address-path", e.adminFile,
			"--concurrency", strconv.Itoa(options.Concurrency),
			"--log-level", options.LogLevel,
			// A hot restart needs a base id that no other Envoy of the machine
			// has, and blocks the next one when it was not ended well.
			"--disable-hot-restart",
		}, options.Args...),
		Ready: func(ctx context.Context) error {
			_, err := e.Admin(ctx, "/server_info")
			return err
		},
		Line: options.Line,
	}
	if host := options.Host; host != nil {
		e.spec.Enter = host.Enter
		// Merged into the bootstrap, whose own would be out of reach.
		e.spec.Args = append(e.spec.Args, "--config-yaml",
			fmt.Sprintf("admin: {address: {socket_address: {address: %s, port_value: 0}}}", host.Addr))
	}
	return e, e.launch(ctx)
}

func (e *Envoy) launch(ctx context.Context) (err error) {
	// An earlier run's address is another's port by now.
	if err := os.Remove(e.adminFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("start %s: %w", e.spec.Name, err)
	}
	e.process, err = proc.Start(ctx, e.owner, e.spec)
	return err
}

// WaitLive waits until Envoy has its first configuration and serves.
func (e *Envoy) WaitLive(ctx context.Context) error {
	return e.process.Await(ctx, "live", func(ctx context.Context) error {
		_, err := e.Admin(ctx, "/ready")
		return err
	})
}

// Process returns the running process, for signals and its log.
func (e *Envoy) Process() *proc.Process { return e.process }

// Stop ends it, connections and all.
func (e *Envoy) Stop() { e.process.Stop() }

// Kill9 kills it.
func (e *Envoy) Kill9() { e.process.Kill() }

// Restart starts it again with the same bootstrap, stopping it first if it runs,
// and waits until it is live.
func (e *Envoy) Restart(ctx context.Context) error {
	e.process.Stop()
	if err := e.launch(ctx); err != nil {
		return err
	}
	return e.WaitLive(ctx)
}

// AdminAddress returns host:port of the admin interface.
func (e *Envoy) AdminAddress() (string, error) {
	text, err := os.ReadFile(e.adminFile)
	if err != nil {
		return "", fmt.Errorf("read the admin address of %s: %w", e.spec.Name, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Admin asks the admin interface, and returns the body of a 200.
func (e *Envoy) Admin(ctx context.Context, path string) ([]byte, error) {
	address, err := e.AdminAddress()
	if err != nil {
		return nil, err
	}
	body, err := proc.Get(ctx, http.DefaultClient, "http://"+address+path)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", e.spec.Name, err)
	}
	return body, nil
}

// ConfigDump returns Envoy's configuration as JSON, endpoints included.
func (e *Envoy) ConfigDump(ctx context.Context) ([]byte, error) {
	return e.Admin(ctx, "/config_dump?include_eds")
}

// Stats returns the counters and gauges whose names match a regular expression
// (RE2). With deferred creation, one that was never touched may be missing.
func (e *Envoy) Stats(ctx context.Context, pattern string) (map[string]uint64, error) {
	body, err := e.Admin(ctx, "/stats?format=json&filter="+url.QueryEscape(pattern))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Stats []struct {
			Name  string          `json:"name"`
			Value json.RawMessage `json:"value"`
		} `json:"stats"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("read stats of %s: %w", e.spec.Name, err)
	}
	stats := map[string]uint64{}
	for _, stat := range answer.Stats {
		var value uint64
		if json.Unmarshal(stat.Value, &value) == nil { // text and histograms have no one number
			stats[stat.Name] = value
		}
	}
	return stats, nil
}

// Stat returns one counter or gauge, 0 if Envoy does not have it.
func (e *Envoy) Stat(ctx context.Context, name string) (uint64, error) {
	stats, err := e.Stats(ctx, "^"+strings.ReplaceAll(name, ".", `\.`)+"$")
	return stats[name], err
}
