#!/bin/sh
# Usage: install.sh ROOT ARCH "TARBALL SHA256"...
#
# Unpacks the tarballs of s6-overlay below ROOT. What is not beside this script
# is fetched from S6_OVERLAY_URL. Nothing is unpacked whose checksum differs, or
# on a machine of another kind than ARCH.
set -eu
root=$1
arch=$2
shift 2
cd "$(dirname "$0")"

refuse() {
	echo "install.sh: $*" >&2
	exit 1
}

[ "$arch" = "$(uname -m)" ] ||
	refuse "the tarballs are for $arch, this is $(uname -m): name it and its checksum as build arguments"

packages=xz-utils
for tarball; do
	[ -e "${tarball% *}" ] || packages="xz-utils ca-certificates curl"
done
# shellcheck disable=SC2086 # several packages
{ apt-get -q update && apt-get -q install -y --no-install-recommends $packages; } >/tmp/log 2>&1 ||
	{ cat /tmp/log >&2 && refuse "apt-get could not install $packages"; }

mkdir -p "$root"
for tarball; do
	name=${tarball% *}
	sum=${tarball##* }
	[ -e "$name" ] || curl -fsSL --retry 3 -o "$name" "$S6_OVERLAY_URL/$name" ||
		refuse "there is no $name in container/overlay, and it cannot be had from $S6_OVERLAY_URL"
	echo "$sum  $name" | sha256sum -c --quiet - ||
		refuse "the checksum of $name is not $sum: give that of your version as a build argument"
	tar -C "$root" -Jxpf "$name"
done
