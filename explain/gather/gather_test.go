package gather

import (
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"go.uber.org/zap"
	rpcstatus "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"my-company.com/staticsite-operator/control"
	"my-company.com/staticsite-operator/explain"
	"my-company.com/staticsite-operator/files"
	"my-company.com/staticsite-operator/latest"
	"my-company.com/staticsite-operator/object"
	"my-company.com/staticsite-operator/translate"
	"my-company.com/staticsite-operator/xds"
)

const docs = `
apiVersion: platform.my-company.com/v1alpha1
kind: StaticSite
metadata: {namespace: docs, name: docs}
spec: {domain: docs.example.com, backend: {serviceName: web, servicePort: 80}}
---
apiVersion: v1
kind: Service
metadata: {namespace: docs, name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {namespace: docs, name: web-1, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{port: 8080}]
endpoints: [{addresses: [10.0.0.1], conditions: {ready: true}}]
`

// write makes a folder with one file.
func write(t *testing.T, text string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "sites.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return folder
}

// serve serves what is in a folder until the test ends, and returns where.
func serve(t *testing.T, folder string) string {
	t.Helper()
	loaded, err := files.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	store, objects := xds.NewStore(), latest.New[object.Ref, object.Object]()
	objects.PutAll(loaded.Objects)
	server := xds.NewServer(store, xds.DefaultAckTimeout, zap.NewNop())
	loop := control.NewLoop(translate.Options{}, objects, store, server.Observations(), zap.NewNop())
	ctx, stop := context.WithCancel(context.Background())
	address, done := freeAddress(t), make(chan error, 1)
	var running sync.WaitGroup
	running.Go(func() { loop.Run(ctx) })
	go func() { done <- server.Serve(ctx, server.Open(address)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		running.Wait()
	})
	return address
}

// freeAddress returns an address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener := listen(t)
	defer listener.Close()
	return listener.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// connect has a proxy take all that it is sent until the test ends. It refuses the types
// that are named.
func connect(t *testing.T, address, node string, refused ...xds.Type) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(conn).DeltaAggregatedResources(t.Context(), grpc.WaitForReady(true))
	if err != nil {
		t.Fatal(err)
	}
	send := func(r *discovery.DeltaDiscoveryRequest) {
		if err := stream.Send(r); err != nil {
			t.Error(err)
		}
	}
	send(&discovery.DeltaDiscoveryRequest{TypeUrl: xds.Cluster.URL(), Node: &core.Node{Id: node}})
	send(&discovery.DeltaDiscoveryRequest{TypeUrl: xds.Endpoint.URL(), ResourceNamesSubscribe: []string{"docs_web_80_cluster"}})
	send(&discovery.DeltaDiscoveryRequest{TypeUrl: xds.Listener.URL()})
	send(&discovery.DeltaDiscoveryRequest{TypeUrl: xds.ScopedRoute.URL()})
	go func() {
		for {
			r, err := stream.Recv()
			if err != nil {
				return // The test is over.
			}
			answer := &discovery.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce}
			if typ, _ := xds.TypeByURL(r.TypeUrl); slices.Contains(refused, typ) {
				answer.ErrorDetail = &rpcstatus.Status{Message: "missing ]: ["}
			}
			if stream.Send(answer) != nil {
				return
			}
		}
	}()
}

// eventually gathers facts until they are as wanted.
func eventually(t *testing.T, target string, from Sources, wanted func(explain.Facts) bool) explain.Facts {
	t.Helper()
	parsed, err := explain.ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		facts, err := Facts(t.Context(), parsed, translate.Options{}, from)
		if err != nil {
			t.Fatal(err)
		}
		if wanted(facts) {
			return facts
		}
		if time.Now().After(deadline) {
			t.Fatalf("the facts stay %+v", facts)
		}
	}
}

// states returns how far the resources of one type are, by the proxies' nodes.
func states(facts explain.Facts, typ xds.Type) map[string]explain.Holding {
	found := make(map[string]explain.Holding)
	for _, p := range facts.Proxies {
		for _, h := range p.Holdings {
			if h.Type == typ.URL() {
				found[p.Node] = h
			}
		}
	}
	return found
}

// What a folder has and what proxies hold come together, from the routes to the cluster
// and the endpoints that these lead to.
func TestAFolderAndAServer(t *testing.T) {
	folder := write(t, docs)
	server, nobody := serve(t, folder), freeAddress(t)
	connect(t, server, "edge-1")
	facts := eventually(t, "https://docs.example.com/", Sources{Servers: []string{server}, Folder: folder}, func(f explain.Facts) bool {
		return explain.Explain(f).Served
	})
	for typ, name := range map[xds.Type]string{
		xds.ScopedRoute: "docs.example.com", xds.Cluster: "docs_web_80_cluster", xds.Endpoint: "docs_web_80_cluster",
	} {
		h := states(facts, typ)["edge-1"]
		if h.Name != name || h.State != explain.Acknowledged || !h.Has || h.Message == nil {
			t.Errorf("of %v edge-1 has %+v", typ, h)
		}
	}
	if facts.Source != "the folder "+folder || len(facts.Objects) != 3 || len(facts.Known) != 1 || facts.Unread != "" {
		t.Errorf("what the folder has is %+v", facts)
	}

	// A server that cannot be asked takes nothing away from what another one says.
	facts = eventually(t, "docs/docs", Sources{Servers: []string{server, nobody}, Folder: folder}, func(explain.Facts) bool { return true })
	if states(facts, xds.Endpoint)["edge-1"].State != explain.Acknowledged {
		t.Errorf("of two servers is known %+v", facts.Proxies)
	}
	if len(facts.Servers) != 2 || facts.Servers[0].Error != "" || !strings.Contains(facts.Servers[1].Error, "connection refused") {
		t.Errorf("the servers are %+v", facts.Servers)
	}
}

// The details are those of the proxy that has acknowledged most, and the refusal of
// another one is told in its words.
func TestOneOfTwoProxiesRefuses(t *testing.T) {
	folder := write(t, docs)
	server := serve(t, folder)
	connect(t, server, "edge-1", xds.ScopedRoute)
	connect(t, server, "edge-2")
	facts := eventually(t, "docs/docs", Sources{Servers: []string{server}, Folder: folder}, func(f explain.Facts) bool {
		scopes := states(f, xds.ScopedRoute)
		return scopes["edge-1"].State == explain.Refused && scopes["edge-2"].State == explain.Acknowledged
	})
	scopes := states(facts, xds.ScopedRoute)
	if h := scopes["edge-1"]; !strings.Contains(h.Error, "missing ]: [") || h.Has || h.Message != nil {
		t.Errorf("edge-1 refuses as %+v", h)
	}
	if h := scopes["edge-2"]; h.Error != "" || !h.Has || h.Message == nil {
		t.Errorf("edge-2 has %+v", h)
	}
}

// What is not known of a server is said in words that lead on.
func TestServersThatDoNotSay(t *testing.T) {
	plain := listen(t)
	other := grpc.NewServer()
	go other.Serve(plain) //nolint:errcheck // it ends with the test
	t.Cleanup(other.Stop)
	mute := listen(t)
	go func() {
		for {
			conn, err := mute.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) //nolint:errcheck // the other end says what it read
			go io.Copy(io.Discard, conn)                           //nolint:errcheck // until the other end closes
		}
	}()
	t.Cleanup(func() { mute.Close() })
	for address, want := range map[string]string{
		freeAddress(t):        "connection refused",
		plain.Addr().String(): "it does not serve client status discovery",
		mute.Addr().String():  "it does not speak plaintext HTTP/2",
	} {
		if _, err := ClientStatus(t.Context(), address, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

// A mistake in a file is a note; a folder that is not there is an error.
func TestFoldersWithMistakes(t *testing.T) {
	target, err := explain.ParseTarget("docs.example.com")
	if err != nil {
		t.Fatal(err)
	}
	folder := write(t, docs+"---\nkind: [\n")
	facts, err := Facts(t.Context(), target, translate.Options{}, Sources{Folder: folder})
	if err != nil || len(facts.Notes) != 1 || !strings.Contains(facts.Notes[0], "sites.yaml") {
		t.Errorf("%v, and noted is %q", err, facts.Notes)
	}
	if _, err := Facts(t.Context(), target, translate.Options{}, Sources{Folder: filepath.Join(folder, "away")}); err == nil {
		t.Error("a folder that is not there is no error")
	}
}
