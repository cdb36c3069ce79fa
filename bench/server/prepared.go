package server

import (
	"encoding/gob"
	"fmt"
	"os"
	"time"

	"my-company.com/staticsite-operator/bench/sites"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

// prepared is what our server sends, as bytes.
type prepared struct {
	First   map[string][]byte   // by type URL: the response to the first request
	Changes map[Change][][]byte // the k-th change is the one at k modulo their number
}

// Moves is how many changes of kind Move the floor has.
const Moves = 64

// Prepare writes what our server sends to a file, for the floor, and returns the
// bytes of one encoded copy of the whole configuration.
func Prepare(spec Spec, file string) (int, error) {
	set := sites.Of(spec.Sites)
	world, store := translate.NewWorld(spec.options()), xds.NewStore()
	if err := publish(world, store, set.Objects()); err != nil {
		return 0, err
	}
	client := newRecorder(spec, store)
	out := prepared{First: make(map[string][]byte), Changes: make(map[Change][][]byte)}
	size := 0
	for _, t := range client.types() {
		response, err := client.subscribe(t)
		if err != nil {
			return 0, err
		}
		out.First[t.URL()] = response
		size += len(response)
	}
	record := func(c Change, k int) error {
		changed := changedBy(set, c, k)
		if err := publish(world, store, map[object.Ref]object.Object{changed.Ref(): changed}); err != nil {
			return err
		}
		response, err := client.next()
		if err != nil {
			return fmt.Errorf("%s %d: %w", c, k, err)
		}
		out.Changes[c] = append(out.Changes[c], response)
		return nil
	}
	for k := range 2 * set.Turning() {
		if err := record(Turn, k); err != nil {
			return 0, err
		}
	}
	for k := range Moves {
		if err := record(Move, k); err != nil {
			return 0, err
		}
	}
	f, err := os.Create(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return size, gob.NewEncoder(f).Encode(out)
}

// publish translates and encodes as control does.
func publish(world *translate.World, store *xds.Store, objects map[object.Ref]object.Object) error {
	var changes []xds.Change
	for _, r := range world.Apply(objects).Resources {
		t, known := xds.TypeByURL(r.Type)
		if !known {
			return fmt.Errorf("type %s is not served", r.Type)
		}
		c := xds.Change{Type: t, Name: r.Name}
		if r.Message != nil {
			var err error
			if c.Resource, err = xds.NewResource(t, r.Message); err != nil {
				return err
			}
		}
		changes = append(changes, c)
	}
	store.Publish(changes)
	return nil
}

// recorder is a client of a session without a network.
type recorder struct {
	spec    Spec
	store   *xds.Store
	session *xds.Session
}

func newRecorder(spec Spec, store *xds.Store) *recorder {
	r := &recorder{spec: spec, store: store}
	if spec.Sotw {
		r.session = xds.NewSotwSession(store.Latest(), time.Hour)
	} else {
		r.session = xds.NewDeltaSession(store.Latest(), time.Hour, 0)
	}
	return r
}

func (r *recorder) types() []xds.Type {
	if r.spec.Single {
		return []xds.Type{xds.Cluster, xds.Endpoint, xds.Listener, xds.Route}
	}
	return []xds.Type{xds.Cluster, xds.Endpoint, xds.Listener, xds.ScopedRoute}
}

// names is what is asked for of a type.
func (r *recorder) names(t xds.Type) []string {
	switch t {
	case xds.Endpoint:
		return sites.Of(r.spec.Sites).Clusters()
	case xds.Route:
		return []string{"dynamic_routes"}
	}
	return nil
}

func (r *recorder) subscribe(t xds.Type) ([]byte, error) {
	r.session.Request(&xds.Request{Type: t, Names: r.names(t), Subscribe: r.names(t)})
	return r.response()
}

func (r *recorder) next() ([]byte, error) {
	r.session.Publish(r.store.Latest())
	return r.response()
}

// response returns the one response that is due and acknowledges it.
func (r *recorder) response() ([]byte, error) {
	t, response := r.session.Next(time.Time{}.Add(time.Second))
	if response == nil {
		return nil, fmt.Errorf("nothing is sent")
	}
	body, err := xds.Codec().Marshal(response)
	if err != nil {
		return nil, err
	}
	names := r.names(t)
	if !r.spec.Sotw {
		names = nil
	}
	r.session.Request(&xds.Request{Type: t, Nonce: response.Nonce, Version: response.Version, Names: names})
	if t, more := r.session.Next(time.Time{}.Add(time.Second)); more != nil {
		return nil, fmt.Errorf("a second response, of type %s", t)
	}
	return body.Materialize(), nil
}
