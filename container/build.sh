#!/bin/sh
# Usage: build.sh [IMAGE [TARGET]]
#
# Builds one of the container images, which are targets of the Dockerfile:
# fivebenthos if not said otherwise, or evenkeel. Its name is evenkeel/TARGET:latest
# if not said otherwise. It is built from BASE_IMAGE and GO_IMAGE and with the INIT
# of the Dockerfile where these are set. Of the Dockerfile's own base images, one
# that is neither here nor to be pulled is built with base-images.sh. How this
# machine's Go reaches modules, and its proxies, are handed on where they are not
# the defaults.
set -eu
cd "$(dirname "$0")/.."

target=${2:-fivebenthos}
image=${1:-evenkeel/$target:latest}

docker version >/dev/null 2>&1 || { echo "build.sh: no Docker engine answers: start one, or see \"docker version\"" >&2 && exit 1; }

for argument in BASE_IMAGE GO_IMAGE; do
	name=$(sed -n "s/^ARG $argument=//p" Dockerfile | head -n 1)
	eval "given=\${$argument:-}"
	[ -z "$given" ] || continue # the caller provides it
	docker image inspect "$name" >/dev/null 2>&1 && continue
	echo "Pulling $name ..."
	docker pull -q "$name" >/dev/null 2>&1 && continue
	echo "$name is neither here nor to be pulled: it is built here."
	sh container/base-images.sh $argument
done

set -- -t "$image" --target "$target"
for name in BASE_IMAGE GO_IMAGE INIT; do
	eval "[ -z \"\${$name:-}\" ]" || set -- "$@" --build-arg "$name" # its value is taken from here
done
for name in GOPROXY GOSUMDB GOPRIVATE GONOPROXY GONOSUMDB GOINSECURE; do
	if command -v go >/dev/null; then
		[ -n "$(go env -changed $name)" ] && value=$(go env $name) || value=
	else
		eval "value=\${$name:-}"
	fi
	# Go takes an empty value for unset. All are passed, as in docker-compose.yml,
	# so that layers are the same.
	set -- "$@" --build-arg "$name=$value"
done
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
	eval "[ -z \"\${$name:-}\" ]" || set -- "$@" --build-arg "$name" # its value is taken from here
done
if revision=$(git -c safe.directory='*' rev-parse HEAD 2>/dev/null); then
	set -- "$@" --build-arg "REVISION=$revision" \
		--build-arg "VERSION=$(git -c safe.directory='*' describe --tags --always --dirty)" \
		--build-arg "CREATED=$(git -c safe.directory='*' log -1 --format=%cI)"
fi
echo "Building $image ..."
# The classic builder loses a layer now and then ("layer does not exist"). A second
# attempt goes on from the last one that it has.
docker build "$@" . || { echo "Building $image once more ..." && docker build "$@" .; }
