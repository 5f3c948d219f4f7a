# Vigía. `make help` lists what can be done.
SHELL      := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION := $(shell internal/tools/version.sh)
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DATE    := $(shell git log -1 --format=%cI 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X vigia/internal/buildinfo.version=$(VERSION) -X vigia/internal/buildinfo.commit=$(COMMIT) -X vigia/internal/buildinfo.date=$(DATE)
TAGS    := -tags grpcnotrace
TOOLS   := $(CURDIR)/bin/tools
ASSETS     := collector/internal/web/assets
GENERATED := proto/vigia/v1 collector/internal/store

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: run
run: build ## start a collector, enroll this machine's agent, show what was found (Ctrl-C stops both)
	@exec internal/tools/run.sh

.PHONY: build
build: assets ## bin/vigia-agent and bin/vigia-collector
	CGO_ENABLED=0 go build -trimpath $(TAGS) -ldflags '$(LDFLAGS)' -o bin/vigia-agent ./agent
	CGO_ENABLED=1 go build -trimpath $(TAGS) -ldflags '$(LDFLAGS)' -o bin/vigia-collector ./collector

.PHONY: build-windows
build-windows: ## bin/vigia-agent.exe
	CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go build -trimpath $(TAGS) -ldflags '$(LDFLAGS)' -o bin/vigia-agent.exe ./agent

.PHONY: packages
packages: tools assets ## dist/: deb, rpm, MSI, files for updates, SHA256SUMS, bills of materials (CycloneDX)
	internal/tools/packages.sh

.PHONY: assets
assets: $(ASSETS)/node_modules/.package-lock.json ## the console's CSS and JS, bundled
	go run ./$(ASSETS)/build

$(ASSETS)/node_modules/.package-lock.json: $(ASSETS)/package-lock.json
	cd $(ASSETS) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: parts
parts: ## install the real parts that tests use (PostgreSQL, Chromium, ClamAV …; apt, as root)
	internal/tools/parts.sh

.PHONY: test
test: parts build check ## everything that must pass
	go test $(TAGS) -timeout 40m $$(go list ./... | grep -v /internal/e2e)
	go test $(TAGS) -timeout 40m ./internal/e2e
	go test $(TAGS) -race $$(go list ./internal/... | grep -vE "/internal/(e2e|packagetest)$$") ./agent/internal/... ./collector/internal/ingest/... ./collector/internal/rpcapi/... ./collector/internal/fleet/... 2>&1 | internal/tools/compact.sh
	internal/tools/fuzz.sh 4s

.PHONY: test-quick
test-quick: ## the inner loop: everything but browsers, end-to-end and simulated fleets
	go test $(TAGS) $$(go list ./... | grep -vE '/(e2e|fleetsim|packagetest|web)(/|$$)')

.PHONY: check
check: tools ## format, vet on every system, static analysis, generated code up to date
	@test -z "$$(gofmt -l agent collector internal proto 2>/dev/null | grep -v node_modules | tee /dev/stderr)" || { echo "gofmt: run gofmt -w on the files above"; exit 1; }
	go vet $(TAGS) ./...
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go vet ./agent/... $$(go list ./internal/... | grep -vE '/(e2e|fleetsim|archtest)')
	GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -o /dev/null ./agent
	GOOS=windows GOARCH=arm64 CGO_ENABLED=0 go build -o /dev/null ./agent
	$(TOOLS)/staticcheck ./...
	internal/tools/stale.sh

.PHONY: proto
proto: tools ## generate the protocol's and the queries' Go code again
	protoc --plugin=$(TOOLS)/protoc-gen-go --plugin=$(TOOLS)/protoc-gen-go-grpc --proto_path=proto \
	  --go_out=. --go_opt=module=vigia --go-grpc_out=. --go-grpc_opt=module=vigia proto/vigia/v1/agent.proto
	cd collector/internal/store && $(TOOLS)/sqlc generate

.PHONY: tools
tools: ## the generators and the checker, built from internal/tools/go.mod
	@command -v protoc >/dev/null || internal/tools/parts.sh
	@for t in github.com/sqlc-dev/sqlc/cmd/sqlc google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc honnef.co/go/tools/cmd/staticcheck; do \
	  test -x $(TOOLS)/$$(basename $$t) -a $(TOOLS)/$$(basename $$t) -nt internal/tools/go.mod || { echo "building $$(basename $$t)"; (cd internal/tools && CGO_ENABLED=0 go build -o $(TOOLS)/ $$t); }; done
	@for t in github.com/goreleaser/nfpm/v2/cmd/nfpm github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod; do \
	  test -x $(TOOLS)/$$(basename $$t) -a $(TOOLS)/$$(basename $$t) -nt internal/tools/packaging/go.mod || { echo "building $$(basename $$t)"; (cd internal/tools/packaging && CGO_ENABLED=0 go build -o $(TOOLS)/ $$t); }; done

.PHONY: bench
bench: build ## figures beside peers: machine, peer, ratio
	internal/tools/bench.sh

.PHONY: clean
clean: ## remove what was built (not the data in run/)
	rm -rf bin dist
