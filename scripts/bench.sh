#!/bin/sh
# Usage: bench.sh TIME
#
# Runs the benchmarks of the module, those on real s6 and real Benthos too, and
# those of the image where a Docker engine answers, for TIME each, as go test
# -benchtime takes it. Metrics that benchmarks report themselves, the ratios among
# them, are listed again at the end.
set -eu

tags=integration
[ "$(sh scripts/where.sh "the image is left out" || true)" != docker ] || tags=$tags,container
results=$(mktemp)
failed=$(mktemp)
trap 'rm -f "$results" "$failed"' EXIT
{ go test -run '^$' -bench . -benchtime "$1" -timeout 30m -tags "$tags" ./... || echo failed >"$failed"; } |
	grep --line-buffered -v -e '^?' -e '^PASS$' | tee "$results"
[ ! -s "$failed" ] || exit 1
echo
echo "Ratios and other metrics of the benchmarks:"
awk '/^Benchmark/ {
	for (i = 3; i < NF; i += 2)
		if ($(i + 1) !~ /^(ns|B|allocs)\/op$|^MB\/s$/) printf "  %-60s %12s %s\n", $1, $i, $(i + 1)
}' "$results"
