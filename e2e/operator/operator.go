package operator

import (
	"context"
	"net/http"

	"my-company.com/staticsite-operator/e2e/parts"
	"my-company.com/staticsite-operator/e2e/proc"
)

// Operator is our server, started.
type Operator struct {
	// XDSAddress is where Envoys find it, HealthAddress where /healthz and
	// /readyz are; both host:port, for its whole life.
	XDSAddress    string
	HealthAddress string
	// Log is what it logged so far, over all restarts.
	Log *Log

	owner   proc.Owner
	spec    proc.Spec
	process *proc.Process
}

// Start starts the server and waits until it says that it is ready: all sources
// are read and the first build is published. Owner's end stops it.
func Start(ctx context.Context, owner proc.Owner, options Options) (*Operator, error) {
	o, err := Launch(ctx, owner, options)
	if err != nil {
		return nil, err
	}
	return o, o.WaitReady(ctx)
}

// Launch starts the server and waits for nothing: for tests of what happens before
// it is ready.
func Launch(ctx context.Context, owner proc.Owner, options Options) (*Operator, error) {
	if options.Path == "" {
		binary, err := parts.Operator()
		if err != nil {
			return nil, err
		}
		options.Path = binary
	}
	for _, address := range []*string{&options.XDSAddress, &options.HealthAddress} {
		if *address == "" {
			free, err := proc.FreeAddress("127.0.0.1")
			if err != nil {
				return nil, err
			}
			*address = free
		}
	}
	if options.Name == "" {
		options.Name = "staticsite-operator"
	}
	o := &Operator{
		XDSAddress:    options.XDSAddress,
		HealthAddress: options.HealthAddress,
		Log:           newLog(),
		owner:         owner,
	}
	o.spec = proc.Spec{
		Name:  options.Name,
		Path:  options.Path,
		Args:  options.args(),
		Env:   options.Env,
		Enter: options.Enter,
		Line: func(line []byte) {
			o.Log.add(line)
			if options.Line != nil {
				options.Line(line)
			}
		},
	}
	return o, o.launch(ctx)
}

func (o *Operator) launch(ctx context.Context) (err error) {
	o.process, err = proc.Start(ctx, o.owner, o.spec)
	return err
}

// WaitReady waits until /readyz says yes.
func (o *Operator) WaitReady(ctx context.Context) error {
	return o.process.Await(ctx, "ready", o.Ready)
}

// Ready is nil if /readyz says yes now.
func (o *Operator) Ready(ctx context.Context) error {
	_, err := proc.Get(ctx, http.DefaultClient, "http://"+o.HealthAddress+"/readyz")
	return err
}

// Process returns the running process, for signals and its log file.
func (o *Operator) Process() *proc.Process { return o.process }

// Stop ends it as Kubernetes does.
func (o *Operator) Stop() { o.process.Stop() }

// Kill9 kills it.
func (o *Operator) Kill9() { o.process.Kill() }

// Restart starts it again with the same flags, stopping it first if it runs, and
// waits until it is ready.
func (o *Operator) Restart(ctx context.Context) error {
	o.process.Stop()
	if err := o.launch(ctx); err != nil {
		return err
	}
	return o.WaitReady(ctx)
}
