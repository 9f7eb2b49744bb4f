# GNU make 4.3 or later, POSIX sh. "make" alone lists what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# Further flags for fivebenthos: make run ARGS="-instances 3"
ARGS ?=
# How long each fuzz target runs, how often each benchmark.
FUZZTIME ?= 10s
BENCHTIME ?= 1s

# The directories of the Go modules. Importing the library brings in neither an
# engine nor a linter.
MODULES := . benthos/engine benthos/engine/redpanda tools
ENGINES := $(filter benthos/%,$(MODULES))

# The Benthos that is run, and a second lineage of it for the tests. An engine
# is built where none is given.
EVENKEEL_BENTHOS ?= $(CURDIR)/bin/benthos
ifeq ($(EVENKEEL_BENTHOS),$(CURDIR)/bin/benthos)
engine_needed := bin/benthos
endif
EVENKEEL_BENTHOS_REDPANDA ?= $(CURDIR)/bin/benthos-redpanda
ifeq ($(EVENKEEL_BENTHOS_REDPANDA),$(CURDIR)/bin/benthos-redpanda)
redpanda_needed := bin/benthos-redpanda
endif
export EVENKEEL_BENTHOS EVENKEEL_BENTHOS_REDPANDA

# A checkout that belongs to another user builds too.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)

# docker or none says where to run; unset, it is docker where an engine answers.
export CONTAINER

# elsewhere runs the variant of a target that where.sh names.
elsewhere = @where=$$(sh scripts/where.sh "$(1)") && exec $(MAKE) --no-print-directory "$@-$$where"

##@ Run
.PHONY: run
run: ## keep five Benthos running until Ctrl-C, in a container or, without an engine, here (ARGS="-help" lists flags)
	$(call elsewhere,five Benthos run on this host)

.PHONY: run-verbose
run-verbose: export S6_VERBOSITY := 3
run-verbose: run ## the same, and print every attempt that failed

.PHONY: run-background
run-background: image ## run the container in the background; returns when all five are healthy
	@sh container/run.sh background $(ARGS)

.PHONY: stop
stop: ## end the background container in order; its volume stays
	@sh container/run.sh stop

.PHONY: logs
logs: ## show what the background container prints, until Ctrl-C
	@sh container/run.sh logs

.PHONY: top
top: ## watch the instances of the container, in a live table from which they are stopped and started, too
	@sh container/run.sh top

.PHONY: shell
shell: ## open a shell in the container
	@sh container/run.sh shell

.PHONY: verify
verify: ## prove the seven scenarios on five running Benthos, in a container or here
	$(call elsewhere,five Benthos run on this host)

.PHONY: run-docker verify-docker
run-docker: image
	@sh container/run.sh foreground $(ARGS)
verify-docker: image
	@sh container/run.sh once -verify $(ARGS)

.PHONY: run-host verify-host
run-host: tools $(engine_needed) bin/fivebenthos
	@exec bin/fivebenthos -dir run -benthos "$$EVENKEEL_BENTHOS" -verbosity "$${S6_VERBOSITY:-2}" $(ARGS)
verify-host: tools $(engine_needed) bin/fivebenthos
	@exec bin/fivebenthos -dir run -benthos "$$EVENKEEL_BENTHOS" -verify $(ARGS)

##@ Build
.PHONY: build
build: ## build both container images or, without an engine, the engine, evenkeel and examples/fivebenthos into bin/
	$(call elsewhere,bin/ gets what the images would hold)

.PHONY: build-docker build-host
build-docker: image image-evenkeel
build-host: engine bin/evenkeel bin/fivebenthos

# The names of the images: that of fivebenthos, which the targets above run, and
# that of evenkeel.
IMAGE ?= evenkeel/fivebenthos:latest
EVENKEEL_IMAGE ?= evenkeel/evenkeel:latest
export IMAGE EVENKEEL_IMAGE

.PHONY: image
image:
	@sh container/build.sh "$(IMAGE)"

.PHONY: image-evenkeel
image-evenkeel: ## build the image that keeps what files declare, evenkeel/evenkeel:latest or EVENKEEL_IMAGE
	@sh container/build.sh "$(EVENKEEL_IMAGE)" evenkeel

.PHONY: base-images
base-images: ## build the two base images without a registry, from this machine's mirror and Go
	@sh container/base-images.sh

.PHONY: image-save
image-save: image ## write the image to bin/fivebenthos-image.tar.gz, to carry it where no registry is
	@mkdir -p bin
	@docker save -o bin/fivebenthos-image.tar "$(IMAGE)" && gzip -f bin/fivebenthos-image.tar
	@echo "bin/fivebenthos-image.tar.gz: load it with \"docker load -i\"."

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

# go build finds out itself what has changed.
.PHONY: bin/evenkeel bin/fivebenthos
bin/evenkeel: | go
	@go build -o $@ ./cmd/evenkeel
bin/fivebenthos: | go
	@go build -o $@ ./examples/fivebenthos

.PHONY: go
go:
	@command -v go >/dev/null || { echo "There is no go in PATH: install Go from https://go.dev/dl and add its bin directory to PATH." >&2; exit 1; }

##@ Check
.PHONY: test
test: ## run all tests: unit tests, real s6 and real Benthos, and the images where an engine answers
	$(call elsewhere,all tests but those of the images run on this host)

# The packages whose tests try less in a short run. The race detector makes them
# ten times as slow, and what they add then is not concurrent.
EXHAUSTIVE := ./s6 ./benthos ./internal/simulate

# Packages that start hundreds of processes have the processors one after the other:
# what waits for a processor is late, and there are times that belong to what is tested.
.PHONY: test-docker test-host test-container
test-docker: test-host test-container
test-host: tools $(engine_needed) $(redpanda_needed) | go
	@sh scripts/require.sh cc promtool chromium
	@for module in $(ENGINES); do sh scripts/stage.sh "go vet in $$module" go -C $$module vet ./... || exit 1; done
	@sh scripts/stage.sh "Unit tests" go test -race -short ./...
	@sh scripts/stage.sh "Unit tests that try everything, without the race detector" go test $(EXHAUSTIVE)
	@sh scripts/stage.sh "Tests with s6, $$EVENKEEL_BENTHOS and $$EVENKEEL_BENTHOS_REDPANDA" \
		go test -p 1 -race -count=1 -timeout 30m -tags integration ./integration/...
test-container: | go ## prove the images on this machine's Docker engine
	@sh scripts/require.sh compose
	@sh scripts/stage.sh "Tests of the images, with Docker" \
		go test -race -count=1 -timeout 30m -tags container ./integration/container

# How often soak runs the tests, and how many busy loops run beside them.
N ?= 5
LOAD ?= 2

.PHONY: soak
soak: tools $(engine_needed) $(redpanda_needed) | go ## run test-host N (5) times beside LOAD (2) busy loops; how often each test failed
	@sh scripts/soak.sh $(N) $(LOAD)

# How many seeds simulate runs, and for how many simulated hours each; and how many
# lives of whole programs with their files.
SEEDS ?= 2000
HOURS ?= 1
LIVES ?= 100

.PHONY: simulate
simulate: | go ## run whole programs against an adversary, in memory: SEEDS (2000) of them, HOURS (1) of fake time each, and LIVES (100)
	@go test -count=1 -timeout 24h ./internal/simulate -run TestSeeds -seeds $(SEEDS) -hours $(HOURS)
	@go test -count=1 -timeout 24h ./runner -run TestLives -rapid.checks=$(LIVES)

# The seed of what killings, chaos and log-campaign do at random; 0 means one by
# the clock.
SEED ?= 0

.PHONY: killings
killings: tools | go ## kill N (5) programs, and then N supervisors, at random moments; SEED does it again
	@go test -count=1 -timeout 24h -v -tags integration ./integration -run 'KilledAtAnyMoment' -killings $(N) -seed $(SEED)

.PHONY: mutations
mutations: | go ## prove that simulate can fail: faults that were really made, each has to be found within 200 seeds
	@go run ./internal/simulate/mutate

# How long chaos reigns.
DURATION ?= 3m

.PHONY: chaos
chaos: tools $(engine_needed) | go ## a hundred services and ten Benthos live through chaos for DURATION (3m), as root; SEED does it again
	@go test -count=1 -timeout 24h -v -tags integration ./integration -run TestChaos -chaos $(DURATION) -services 100 -streams 10 -rate 50 -disk -seed $(SEED)

# Whose s6 conform plays its suite on: bookworm has 2.11, trixie 2.13, sid 2.15.
SUITES ?= trixie sid

.PHONY: conform
conform: | go ## compare the s6 in memory with the s6 of Debian's SUITES (trixie sid), as root, by debootstrap
	@sh scripts/conform.sh $(SUITES)

# How many kills log-campaign makes.
KILLS ?= 300

.PHONY: log-campaign
log-campaign: tools | go ## kill a service that prints and its loggers KILLS (300) times; what is missing of its log
	@sh scripts/require.sh cc
	@go test -race -count=1 -timeout 60m -v -tags integration ./integration -run TestCampaignAgainstLogs -log-kills $(KILLS) -log-seed $(SEED)

.PHONY: test-unit
test-unit: | go ## run the unit tests: in memory, nothing else needs to be installed
	@go test ./...

.PHONY: lint
lint: | go ## run gofmt, go vet, staticcheck and the checks of go.mod
	@sh scripts/lint.sh $(MODULES)

.PHONY: fuzz
fuzz: | go ## run every fuzz target for FUZZTIME (10s)
	@sh scripts/fuzz.sh $(FUZZTIME)

.PHONY: pictures
pictures: | go ## draw the pictures that README.md shows anew, those of the page with Chromium; a minute
	@sh scripts/require.sh chromium
	@go test -count=1 ./internal/top -run TestPicture -update
	@go test -count=1 -tags integration ./integration/page -run TestPictures -pictures "$(CURDIR)/docs/pictures"

.PHONY: bench
bench: tools $(engine_needed) | go ## run the benchmarks for BENCHTIME (1s) each, into BENCHMARKS.md, each beside a baseline of the same run
	@sh scripts/require.sh chromium
	@sh scripts/bench.sh own $(BENCHTIME)

# How many services that sleep, and how many Benthos, bench-peers has under each peer,
# one number or several with commas between them; and how many services bench-steady has.
SERVICES ?= 100
STREAMS ?= 5
STEADY ?= 1000

.PHONY: bench-peers
bench-peers: tools $(engine_needed) | go ## measure the same job under evenkeel and its peers, into BENCHMARKS.md: SERVICES (100) that sleep, STREAMS (5) Benthos
	@sh scripts/require.sh runit supervisor
	@sh scripts/bench.sh peers $(SERVICES) $(STREAMS)

.PHONY: bench-steady
bench-steady: tools | go ## measure evenkeel with STEADY (1000) services that do nothing, with profiles, into BENCHMARKS.md
	@sh scripts/bench.sh steady $(STEADY)

.PHONY: cover
cover: | go ## run the unit tests with coverage, into bin/cover.out
	@mkdir -p bin
	@go test -coverprofile=bin/cover.out ./...
	@go tool cover -func=bin/cover.out | tail -n 1
	@echo "Line by line: go tool cover -html=bin/cover.out"

##@ Other
.PHONY: clean
clean: ## remove bin/, what runs left in run/, and the container with its volume and the images
	@sh scripts/clean.sh

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' \
		'/^##@/ { printf "%s%s\n", n++ ? "\n" : "", substr($$0, 5) } \
		/^[a-z][a-z-]*:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
