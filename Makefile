# Haldane. `make help` lists what there is; `make check` is what CI runs.

GO       ?= go
BIN      := $(CURDIR)/bin
LINT     := $(BIN)/golangci-lint-v2.15.0
VULN     := golang.org/x/vuln/cmd/govulncheck@v1.9.0
COUNT    ?= 1
FUZZTIME ?= 10s
SCENE    ?= bad

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/haldane, static and reproducible
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN)/haldane ./cmd/haldane

.PHONY: demo
demo: build ## the whole loop in one process: make demo SCENE=good
	$(BIN)/haldane demo --scene $(SCENE)

.PHONY: check
check: mod build lint test vuln ## all that must be green before a change lands

.PHONY: mod
mod: ## go.mod and go.sum say what the code needs, and nothing was altered on the way
	$(GO) mod tidy -diff
	$(GO) mod verify

.PHONY: test
test: ## every test, with the race detector
	$(GO) test -race ./...

.PHONY: race
race: ## every test, COUNT times in random order: what is rare shows up (COUNT=20)
	$(GO) test -race -count=$(COUNT) -shuffle=on ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: bench
bench: sim speed ## what the README quotes: error rates, requests to rollback, speed

.PHONY: speed
speed: ## every benchmark, COUNT times, for benchstat
	$(GO) test -run '^$$' -bench . -benchmem -count=$(COUNT) ./...

.PHONY: cover
cover: ## which statements the tests run: coverage.out, and the sum of it
	$(GO) test -coverpkg=./... -coverprofile=coverage.out ./...
	$(GO) tool cover -func=coverage.out | tail -n 1

.PHONY: sim
sim: ## false rollbacks and time to detection, measured in the simulated world
	$(GO) run ./sim/table

.PHONY: lint
lint: $(LINT) ## golangci-lint, as .golangci.yml says
	$(LINT) run ./...

# Built from source under its own name, so that a new version is a new file.
$(LINT):
	mkdir -p $(BIN)
	GOBIN=$(BIN)/build $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(patsubst $(BIN)/golangci-lint-%,%,$@)
	mv $(BIN)/build/golangci-lint $@ && rmdir $(BIN)/build

.PHONY: vuln
vuln: ## govulncheck; says so if its database cannot be reached
	.ci/vuln $(GO) run $(VULN) ./...

.PHONY: fmt
fmt: $(LINT) ## format the code
	$(LINT) fmt ./...

.PHONY: generate
generate: ## write dashboards/rollout.json anew
	$(GO) generate ./...
