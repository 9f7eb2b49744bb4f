#!/bin/sh
# Usage: fuzz.sh TIME
#
# Runs every fuzz target of the module for TIME each, as go test -fuzztime
# takes it. What makes a target fail is left in its testdata/fuzz.
set -eu

listed=$(go test -list '^Fuzz' ./...) || { echo "$listed" >&2; exit 1; }
# The names of a package's targets come before the line with its path.
targets=$(echo "$listed" | awk '/^Fuzz/ { names[n++] = $1 } $1 == "ok" { while (n) print $2, names[--n] }')
[ -n "$targets" ] || { echo "fuzz: there are no fuzz targets" >&2; exit 1; }
echo "$targets" | while read -r package target; do
	echo "fuzz: $package $target for $1"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$package"
done
