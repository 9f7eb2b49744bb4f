#!/bin/sh
# Usage: bench.sh own TIME
#        bench.sh peers SERVICES STREAMS
#        bench.sh steady SERVICES
#
# Runs benchmarks, and writes what they print into docs/benchmarks, in the format of
# go test -bench, and from there into BENCHMARKS.md and its pictures:
#   own     those of the module, on real s6 and real Benthos too, and those of the
#           image where a Docker engine answers, for TIME each, as go test -benchtime
#           takes it
#   peers   the same job under evenkeel and its peers: so many services that sleep,
#           and so many Benthos; several numbers with commas between them
#   steady  evenkeel run with so many services that do nothing, and its profiles
# All that was printed is in bin/ as well; where a benchmark failed, there alone.
set -eu

name=$1
printed=bin/bench-$name.txt
mkdir -p bin/profiles
failed=$(mktemp)
trap 'rm -f "$failed"' EXIT

# facts says on what the run is made.
facts() {
	commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
	[ -z "$(git status --porcelain 2>/dev/null)" ] || commit="$commit with changes"
	echo "date: $(date -u +%Y-%m-%d)"
	echo "commit: $commit"
	echo "go: $(go env GOVERSION)"
	echo "cores: $(getconf _NPROCESSORS_ONLN)"
	echo "kernel: $(uname -sr)"
	echo "load: $(cut -d ' ' -f 1 /proc/loadavg)"
}

# measure runs benchmarks and prints what they say.
measure() {
	facts
	{ go test -run '^$' -timeout 120m "$@" || echo failed >"$failed"; } | grep --line-buffered -v -e '^?' -e '^PASS$'
	echo "load-after: $(cut -d ' ' -f 1 /proc/loadavg)"
}

# top prints where the most of a profile goes, by the project's own functions: each
# with what it calls of others. What changes with each build is left out.
top() {
	go tool pprof -top -nodecount 25 -show evenkeel/evenkeel "$@" 2>/dev/null |
		sed -e '/^File: /d' -e '/^Build ID: /d' -e '/^Time: /d' -e 's/\[go\.shape[^ ]*\]/[…]/' -e 's,github.com/evenkeel/evenkeel/,,'
}

case $name in
own)
	tags=integration
	[ "$(sh scripts/where.sh "the image is left out" || true)" != docker ] || tags=$tags,container
	# go test builds all packages before it measures: those alone that have benchmarks.
	packages=$(go list -tags "$tags" -f '{{.Dir}}' ./... | while read -r dir; do
		! grep -qs '^func Benchmark' "$dir"/*_test.go || echo "$dir"
	done | grep -v '/integration/peers$')
	# shellcheck disable=SC2086 # several packages
	measure -bench . -benchtime "$2" -tags "$tags" $packages | tee "$printed"
	;;
peers)
	# What cannot be had is not measured.
	[ -x bin/peers/pebble ] || GOBIN=$PWD/bin/peers go install github.com/canonical/pebble/cmd/pebble@v1.32.1 || true
	measure -bench 'Sleepers|Streams' -benchtime 1x -tags integration ./integration/peers -services "$2" -streams "$3" | tee "$printed"
	;;
steady)
	measure -bench Steady -benchtime 1x -tags integration ./integration/peers -steady "$2" -profiles "$PWD/bin/profiles" | tee "$printed"
	;;
esac
[ ! -s "$failed" ] || exit 1
mkdir -p docs/benchmarks
if [ "$name" = steady ]; then
	top bin/profiles/cpu.pprof >docs/benchmarks/steady-cpu.txt
	top -sample_index=alloc_space bin/profiles/allocs.pprof >docs/benchmarks/steady-allocs.txt
fi
grep -E '^(Benchmark|[a-z][^ :]*: )' "$printed" >"docs/benchmarks/$name.txt"
go run ./internal/bench/write
echo "BENCHMARKS.md has the figures; \"benchstat OLD docs/benchmarks/$name.txt\" compares them with those of another run."
