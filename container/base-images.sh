#!/bin/sh
# Usage: base-images.sh [BASE_IMAGE] [GO_IMAGE]
#
# Builds the images that the Dockerfile starts from, or the one named, without a
# registry and under the very names that it uses:
#   BASE_IMAGE  with debootstrap, from the Debian mirror of this machine's apt
#               sources (or DEBIAN_MIRROR), and with this machine's certificates
#   GO_IMAGE    BASE_IMAGE with this machine's Go toolchain
# debootstrap is installed where it is missing; it needs root, or sudo.
set -eu
cd "$(dirname "$0")/.."

refuse() {
	echo "base-images.sh: $*" >&2
	exit 1
}

# default_of prints the default of one of the Dockerfile's arguments.
default_of() {
	sed -n "s/^ARG $1=//p" Dockerfile | head -n 1
}

base=$(default_of BASE_IMAGE)
golang=$(default_of GO_IMAGE)
suite=${base#*:}
suite=${suite%-slim}
[ $# -gt 0 ] || set -- BASE_IMAGE GO_IMAGE
docker version >/dev/null 2>&1 || refuse "no Docker engine answers: start one, or see \"docker version\""

work=$(mktemp -d)
if [ "$(id -u)" -eq 0 ]; then as_root=; else as_root=sudo; fi
trap '$as_root rm -rf --one-file-system "$work"' EXIT
trap 'exit 1' HUP INT TERM

# mirror prints the first of the machine's package sources that has the suite.
mirror() {
	[ -z "${DEBIAN_MIRROR:-}" ] || { echo "$DEBIAN_MIRROR" && return; }
	for uri in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u); do
		/usr/lib/apt/apt-helper -qq download-file "${uri%/}/dists/$suite/Release" "$work/Release" >/dev/null 2>&1 || continue
		grep -qx 'Label: Debian' "$work/Release" || continue
		echo "$uri"
		return
	done
	refuse "none of the package sources of this machine has Debian's $suite: name a mirror with DEBIAN_MIRROR=..."
}

certificates() {
	for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
		[ -s "$file" ] && echo "$file" && return
	done
	refuse "this machine has no certificates: install its package ca-certificates, or name a file with SSL_CERT_FILE"
}

debootstrap_installed() {
	command -v debootstrap >/dev/null && return
	command -v apt-get >/dev/null || refuse "install debootstrap with this system's package manager and try again"
	echo "Installing debootstrap ..."
	$as_root env DEBIAN_FRONTEND=noninteractive sh -c \
		'{ apt-get -q install -y --no-install-recommends debootstrap || { apt-get -q update && apt-get -q install -y --no-install-recommends debootstrap; }; } </dev/null' >"$work/log" 2>&1 ||
		{ cat "$work/log" >&2 && refuse "apt-get could not install debootstrap"; }
}

build_base() {
	PATH=$PATH:/usr/sbin:/sbin
	debootstrap_installed
	from=$(mirror)
	bundle=$(certificates)
	echo "Building $base with debootstrap from $from: about a minute ..."
	proxy=${http_proxy:-}
	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	$as_root env ${proxy:+"http_proxy=$proxy"} debootstrap --variant=minbase "$suite" "$work/root" "$from" >"$work/log" 2>&1 ||
		{ tail -n 20 "$work/log" >&2 && refuse "debootstrap failed"; }
	# As in the image of this name: nobody reads these in a container.
	for dir in /var/cache/apt /var/lib/apt/lists /usr/share/doc /usr/share/info /usr/share/locale /usr/share/man; do
		$as_root find "$work/root$dir" -type f ! -name copyright -delete
	done
	printf 'path-exclude %s\n' '/usr/share/doc/*' '/usr/share/info/*' '/usr/share/locale/*' '/usr/share/man/*' |
		$as_root tee "$work/root/etc/dpkg/dpkg.cfg.d/docker" >/dev/null
	$as_root install -D -m 0644 "$bundle" "$work/root/etc/ssl/certs/ca-certificates.crt"
	$as_root rm -f "$work/root/etc/resolv.conf" "$work/root/etc/hostname"
	$as_root tar -C "$work/root" --numeric-owner -c . |
		docker import -m "debootstrap, in place of the registry's" -c 'CMD ["bash"]' - "$base" >/dev/null
}

build_go() {
	command -v go >/dev/null || refuse "there is no go in PATH to make $golang from"
	root=$(go env GOROOT)
	echo "Building $golang from $base and $root, $(go env GOVERSION): about a minute ..."
	cat >"$work/Dockerfile" <<-END
		FROM $base
		COPY ca-certificates.crt /etc/ssl/certs/
		COPY go /usr/local/go
		ENV GOPATH=/go GOTOOLCHAIN=local PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		WORKDIR /go
	END
	cp "$(certificates)" "$work/ca-certificates.crt"
	mkdir "$work/go"
	for part in VERSION bin go.env lib pkg src; do
		ln -s "$root/$part" "$work/go/$part"
	done
	# The classic builder loses a layer now and then, as in build.sh.
	send_go || send_go
}

send_go() {
	tar -C "$work" --exclude=./root --exclude=testdata -ch Dockerfile ca-certificates.crt go | docker build -q -t "$golang" - >/dev/null
}

for image; do
	case $image in
	BASE_IMAGE) build_base ;;
	GO_IMAGE)
		docker image inspect "$base" >/dev/null 2>&1 || build_base
		build_go
		;;
	*) refuse "there is no image $image, only BASE_IMAGE and GO_IMAGE" ;;
	esac
done
