#!/bin/sh
# Usage: lint.sh MODULE...
#
# Runs gofmt, go vet, staticcheck and the checks of go.mod over the Go modules
# in these directories, the first being the library's. All checks are run; the
# exit code is 1 if one of them found something.
set -u

root=$PWD
status=0

# check runs a command in a module and says which one failed.
check() {
	module=$1
	shift
	if ! (cd "$module" && "$@"); then
		echo "lint: failed in $module: $*" >&2
		status=1
	fi
}

gofmt_clean() {
	unformatted=$("$(go env GOROOT)/bin/gofmt" -l .) || return 1
	[ -z "$unformatted" ] && return
	echo "not formatted, run gofmt -w on:" "$unformatted"
	return 1
}

echo "lint: gofmt"
check . gofmt_clean
for module; do
	echo "lint: $module: go mod verify, go mod tidy"
	check "$module" go mod verify >/dev/null
	check "$module" go mod tidy -diff
	[ -n "$(cd "$module" && go list ./... 2>/dev/null)" ] || continue
	echo "lint: $module: go vet"
	check "$module" go vet ./...
done
echo "lint: $1: go vet, staticcheck with all tests"
check "$1" go vet -tags integration,container ./...
check "$1" go tool -modfile="$root/tools/go.mod" staticcheck -tags integration,container ./...
exit $status
