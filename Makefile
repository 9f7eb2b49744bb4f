# GNU make 4.3 or later, POSIX sh. "make" alone lists what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Further flags for fivebenthos: make run ARGS="-instances 3"
ARGS ?=
# How long each fuzz target runs, how often each benchmark.
FUZZTIME ?= 10s
BENCHTIME ?= 1s

# The directories of the Go modules. Each stands alone, so that importing the
# library brings in neither an engine nor a linter.
MODULES := . benthos/engine benthos/engine/redpanda tools
ENGINES := $(filter benthos/%,$(MODULES))

# The Benthos that is run, and a second lineage of it for the tests. An engine
# is built where none is given.
ifndef EVENKEEL_BENTHOS
EVENKEEL_BENTHOS := $(CURDIR)/bin/benthos
engine_needed := bin/benthos
endif
ifndef EVENKEEL_BENTHOS_REDPANDA
EVENKEEL_BENTHOS_REDPANDA := $(CURDIR)/bin/benthos-redpanda
redpanda_needed := bin/benthos-redpanda
endif
export EVENKEEL_BENTHOS EVENKEEL_BENTHOS_REDPANDA

# A checkout that belongs to somebody else builds all the same.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

##@ Run
.PHONY: run
run: tools $(engine_needed) bin/fivebenthos ## keep five Benthos running here until Ctrl-C (ARGS="-help" lists flags)
	@exec bin/fivebenthos -dir . -benthos "$$EVENKEEL_BENTHOS" $(ARGS)

.PHONY: verify
verify: tools $(engine_needed) bin/fivebenthos ## prove the seven scenarios on five running Benthos
	@exec bin/fivebenthos -dir . -benthos "$$EVENKEEL_BENTHOS" -verify $(ARGS)

##@ Build
.PHONY: build
build: engine engine-redpanda bin/fivebenthos ## build the engines and examples/fivebenthos into bin/

.PHONY: engine
engine: bin/benthos ## build the default Benthos engine, Bento, into bin/benthos

.PHONY: engine-redpanda
engine-redpanda: bin/benthos-redpanda ## build Redpanda's Benthos into bin/benthos-redpanda

.PHONY: tools
tools: ## install s6 and execline from the system's packages where missing
	@sh scripts/require.sh s6 execline

bin/benthos: $(wildcard benthos/engine/*.go benthos/engine/go.*)
bin/benthos-redpanda: $(wildcard benthos/engine/redpanda/*.go benthos/engine/redpanda/go.*)
bin/benthos bin/benthos-redpanda: | go
	@echo "Building $@: a minute or two the first time ..."
	@cd $(<D) && go build -o "$(CURDIR)/$@" . && touch "$(CURDIR)/$@"

# go build knows itself what has changed.
.PHONY: bin/fivebenthos
bin/fivebenthos: | go
	@go build -o $@ ./examples/fivebenthos

.PHONY: go
go:
	@command -v go >/dev/null || { echo "There is no go in PATH: install Go from https://go.dev/dl and add its bin directory to PATH." >&2; exit 1; }

##@ Check
.PHONY: test
test: tools $(engine_needed) $(redpanda_needed) | go ## run all tests: unit tests, then integration tests on real s6 and real Benthos
	@sh scripts/require.sh cc
	@for module in $(ENGINES); do (cd $$module && go vet ./...) || exit 1; done
	@echo "Unit tests:"
	@go test -race ./...
	@echo "Integration tests, with s6, $$EVENKEEL_BENTHOS and $$EVENKEEL_BENTHOS_REDPANDA:"
	@go test -race -count=1 -tags integration ./integration/...

.PHONY: test-unit
test-unit: | go ## run the unit tests: in memory, nothing else needs to be installed
	@go test ./...

.PHONY: lint
lint: | go ## run gofmt, go vet, staticcheck and the checks of go.mod
	@sh scripts/lint.sh $(MODULES)

.PHONY: fuzz
fuzz: | go ## run every fuzz target for FUZZTIME (10s)
	@sh scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: tools $(engine_needed) | go ## run the benchmarks for BENCHTIME (1s) each; the ratios again at the end
	@sh scripts/bench.sh $(BENCHTIME)

.PHONY: cover
cover: | go ## run the unit tests with coverage, into bin/cover.out
	@mkdir -p bin
	@go test -coverprofile=bin/cover.out ./...
	@go tool cover -func=bin/cover.out | tail -n 1
	@echo "Line by line: go tool cover -html=bin/cover.out"

##@ Container
# The name of the image.
IMAGE ?= evenkeel/fivebenthos:latest
export IMAGE

.PHONY: image
image: ## build the container image, and its base images where none can be pulled
	@sh container/build.sh "$(IMAGE)"

.PHONY: base-images
base-images: ## build the two base images without a registry, from this machine's mirror and Go
	@sh container/base-images.sh

.PHONY: image-save
image-save: image ## write the image to bin/fivebenthos-image.tar.gz, to carry it where no registry is
	@mkdir -p bin
	@docker save -o bin/fivebenthos-image.tar "$(IMAGE)" && gzip -f bin/fivebenthos-image.tar

.PHONY: run-background
run-background: image ## run the image in the background until "make stop"; returns when all five are healthy
	@sh container/run.sh background $(ARGS)

.PHONY: stop
stop: ## end the background container in order; its volume stays
	@sh container/run.sh stop

.PHONY: logs
logs: ## show what the background container prints, until Ctrl-C
	@sh container/run.sh logs

.PHONY: shell
shell: ## open a shell in the container
	@sh container/run.sh shell

.PHONY: test-container
test-container: | go ## prove the image on this machine's Docker engine
	@go test -count=1 -timeout 30m -tags container ./integration/container

##@ Other
.PHONY: clean
clean: ## remove bin/ and what runs left: services/, scan/, logs/ (not while processes live there)
	@sh scripts/clean.sh

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' \
		'/^##@/ { printf "%s%s\n", n++ ? "\n" : "", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
