# Everything a person does here is one of these targets; `make` lists them.
# What they need is built or installed into .tools/bin at pinned versions, once.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
ARGS ?=
FUZZTIME ?= 1m
E2E_TIMEOUT ?= 1h

# All that is built or tested here is compiled in one way, so that a package which
# several programs need is compiled once. It gives static binaries, with neither
# the machine nor the checkout in them.
export CGO_ENABLED := 0
export GOFLAGS := $(shell go env GOFLAGS) -trimpath -buildvcs=false

# What the first time costs on two cores, while it is to come: $(call first,FILE,TIME).
first = $(if $(wildcard $(1)),, (about $(2) the first time))

# The race detector is written in C; where there is no C compiler the unit
# tests run without it, and say so.
RACE := $(if $(shell command -v "$$(go env CC)" 2>/dev/null),-race)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## ---- the two commands ----

.PHONY: run
run: build envoy ## serve testdata/sites with a real Envoy, no cluster needed (flags: ARGS=--help)
	@echo "building bin/playground$(call first,bin/playground,10 seconds)"
	@cd e2e && go build -o ../bin/playground ./cmd/playground
	@exec bin/playground $(ARGS)

.PHONY: test
test: lint unit e2e ## everything that must pass: lint, unit tests, then end-to-end tests on real parts

## ---- the parts of them ----

.PHONY: unit
unit: ## the unit tests, with the race detector; no network, no Envoy
	@echo "unit tests$(if $(RACE),, (no C compiler here: without the race detector))$(call first,.tools/bin/grpcurl,4 minutes)"
	@CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) ./...
	@$(if $(RACE),go test -run TestSessionHoldsItsPromises ./xds)
	@cd bench && go test ./...

.PHONY: e2e
e2e: tools build ## the end-to-end tests: real API server, real Envoy
	@echo "end-to-end tests (about 6 minutes)"
	@cd e2e && go test ./... -count=1 -timeout $(E2E_TIMEOUT)

.PHONY: fuzz
fuzz: ## play three million steps of random games, then fuzz each target for FUZZTIME (1m)
	XDS_STEPS=3000000 go test -count=1 -v -run TestSessionHoldsItsPromises ./xds
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "fuzzing $$package $$target for $(FUZZTIME)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

.PHONY: bench
bench: tools build ## measure it beside its peers, under 20 minutes (ARGS=-docs=../docs: into docs/performance.md)
	@cd bench && go build -o ../bin/bench . && exec ../bin/bench $(ARGS)

.PHONY: bench-short
bench-short: tools build ## the same with fewer sizes and rounds: 2 minutes
	@cd bench && go build -o ../bin/bench . && exec ../bin/bench -short $(ARGS)

.PHONY: build
build: ## the program, static: bin/staticsite-operator
	@echo "building bin/staticsite-operator $(VERSION)$(call first,bin/staticsite-operator,4 minutes)"
	@go build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/staticsite-operator .

.PHONY: generate
generate: .tools/bin/controller-gen ## the deep copies in api/ and the CRD in manifests/crd/, from the types; replicasv1/, from its .proto
	@.tools/bin/controller-gen object paths=./api/... crd paths=./api/... output:crd:dir=manifests/crd
	@go run -C tools/protoc . $(CURDIR)/replicas/replicasv1/replicas.proto

.PHONY: lint
lint: ## gofmt and go vet, in every module
	@echo "gofmt and go vet$(call first,.tools/bin/grpcurl,5 minutes)"
	@unformatted=$$(gofmt -l .); \
		if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; fi
	@go vet ./...
	@for module in e2e bench tools/kubectl tools/protoc; do (cd $$module && go vet ./...) || exit 1; done

.PHONY: clean
clean: ## remove what was built; the tools in .tools/ stay (rm -r .tools)
	@rm -rf bin

## ---- the real parts, pinned by tools/ ----

# A directory of control plane binaries, as other projects have it, saves
# building them; the tests look there first.
BUILT := controller-gen grpcurl $(if $(KUBEBUILDER_ASSETS),,etcd kubectl kube-apiserver)

.PHONY: tools
tools: envoy $(BUILT:%=.tools/bin/%) ## build or install what the tests need into .tools/bin

.PHONY: grpcurl
grpcurl: .tools/bin/grpcurl ## grpcurl, to look into the server: .tools/bin/grpcurl

.PHONY: envoy
envoy:
	@tools/envoy/install .tools/bin/envoy

# Each tool is a package (PACKAGE) of a module (MODULE) that the module in its
# folder requires; a changed go.mod builds it anew.
pinned = $(shell sed -n 's,^.*$(MODULE) v\([0-9.]*\).*,\1,p' tools/$(@F)/go.mod)

$(patsubst tools/%/go.mod,.tools/bin/%,$(wildcard tools/*/go.mod)): .tools/bin/%: tools/%/go.mod
	@echo "building $* $(or $(SHOWN),$(pinned))$(if $(SLOW), $(SLOW))"
	@go build -C tools/$* -ldflags '-s -w $(LDFLAGS)' -o $(CURDIR)/$@ $(PACKAGE)
	@touch $@

.tools/bin/controller-gen: MODULE = sigs.k8s.io/controller-tools
.tools/bin/controller-gen: PACKAGE = $(MODULE)/cmd/controller-gen

.tools/bin/grpcurl: MODULE = github.com/fullstorydev/grpcurl
.tools/bin/grpcurl: PACKAGE = $(MODULE)/cmd/grpcurl
.tools/bin/grpcurl: LDFLAGS = -X main.version=v$(pinned)

.tools/bin/etcd: MODULE = go.etcd.io/etcd/server/v3
.tools/bin/etcd: PACKAGE = $(MODULE)
.tools/bin/etcd: SLOW = (about 1 minute the first time)

.tools/bin/kube-apiserver: MODULE = k8s.io/kubernetes
.tools/bin/kube-apiserver: PACKAGE = $(MODULE)/cmd/kube-apiserver
.tools/bin/kube-apiserver: LDFLAGS = $(call kubernetes_version,$(pinned))
.tools/bin/kube-apiserver: SLOW = (about 5 minutes the first time)

.tools/bin/kubectl: tools/kubectl/main.go
.tools/bin/kubectl: MODULE = k8s.io/kubectl
.tools/bin/kubectl: PACKAGE = .
.tools/bin/kubectl: SHOWN = $(patsubst 0.%,1.%,$(pinned))
.tools/bin/kubectl: LDFLAGS = $(call kubernetes_version,$(SHOWN))
.tools/bin/kubectl: SLOW = (about 1 minute the first time)

# Without these the binaries call themselves v0.0.0, which clients believe.
kubernetes_version = $(foreach set, \
	gitVersion=v$(1) gitMajor=$(word 1,$(subst ., ,$(1))) gitMinor=$(word 2,$(subst ., ,$(1))) gitTreeState=clean, \
	-X k8s.io/component-base/version.$(set))
