package main

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	sigsyaml "sigs.k8s.io/yaml"

	"my-company.com/staticsite-operator/e2e/backend"
)

// A world is what the playground itself needs to know of the sites folder: the
// URLs to print, and where to serve pages. It is read once; what changes later is
// the server's to see.
type world struct {
	sites    []site
	backends []endpoint
}

// A site is as much of a StaticSite as it takes to print its URL.
type site struct {
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Domain  string `json:"domain"`
		Backend struct {
			ServiceName string `json:"serviceName"`
		} `json:"backend"`
	} `json:"spec"`
}

func (s site) name() string   { return cmp.Or(s.Namespace, "default") + "/" + s.Name }
func (s site) domain() string { return s.Spec.Domain }

// An endpoint is an address of this machine at which an EndpointSlice says that a
// Service is served.
type endpoint struct {
	hostport string
	service  string // namespace/name
	file     string
}

// readWorld reads the folder. A document that is not YAML is left to the server,
// which says what is wrong with it, and keeps saying so when it changes.
func readWorld(dir string) (*world, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("the sites folder cannot be read: %w; name another with --sites", err)
	}
	w := &world{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if extension := filepath.Ext(path); entry.IsDir() || extension != ".yaml" && extension != ".yml" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		w.read(path, text)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the sites folder cannot be read: %w", err)
	}
	slices.SortFunc(w.sites, func(a, b site) int { return cmp.Compare(a.domain(), b.domain()) })
	return w, nil
}

func (w *world) read(path string, text []byte) {
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if err != nil {
			return
		}
		var kind metav1.TypeMeta
		if sigsyaml.Unmarshal(document, &kind) != nil {
			continue
		}
		switch kind.Kind {
		case "StaticSite":
			var s site
			if sigsyaml.Unmarshal(document, &s) == nil && s.domain() != "" {
				w.sites = append(w.sites, s)
			}
		case "EndpointSlice":
			var slice discoveryv1.EndpointSlice
			if sigsyaml.Unmarshal(document, &slice) == nil {
				w.addBackends(path, &slice)
			}
		}
	}
}

// addBackends adds the slice's endpoints on this machine, each once.
func (w *world) addBackends(path string, slice *discoveryv1.EndpointSlice) {
	for _, port := range slice.Ports {
		for _, e := range slice.Endpoints {
			for _, ip := range e.Addresses {
				if parsed := net.ParseIP(ip); port.Port == nil || parsed == nil || !parsed.IsLoopback() {
					continue
				}
				hostport := net.JoinHostPort(ip, strconv.Itoa(int(*port.Port)))
				if slices.ContainsFunc(w.backends, func(b endpoint) bool { return b.hostport == hostport }) {
					continue
				}
				w.backends = append(w.backends, endpoint{
					hostport: hostport,
					service:  slice.Namespace + "/" + slice.Labels[discoveryv1.LabelServiceName],
					file:     path,
				})
			}
		}
	}
}

// pods returns the backends to start: each serves the pages of the site that names
// its Service, or says who it is if there are none.
func (w *world) pods(pages string) []backend.Pod {
	var pods []backend.Pod
	for _, b := range w.backends {
		pod := backend.Pod{Site: b.service, Name: b.hostport, Address: b.hostport}
		for _, s := range w.sites {
			dir := filepath.Join(pages, s.Name)
			if info, err := os.Stat(dir); s.Namespace+"/"+s.Spec.Backend.ServiceName == b.service && err == nil && info.IsDir() {
				pod.Site = s.name()
				pod.Handler = http.FileServerFS(os.DirFS(dir))
				break
			}
		}
		pods = append(pods, pod)
	}
	return pods
}
