#!/bin/sh
# Usage: conform.sh SUITE...
#
# Plays the conformance suite of s6/s6test on the s6 of Debian's suites, each in
# a directory of its own: bookworm has 2.11, trixie 2.13, sid 2.15. A suite that
# cannot be had is named and fails. The directories are kept in bin/s6. It needs
# root, debootstrap, and one of the machine's package sources to be Debian's (or
# DEBIAN_MIRROR).
set -eu
cd -P "$(dirname "$0")/.."

refuse() {
	echo "conform.sh: $*" >&2
	exit 1
}
[ "$(id -u)" -eq 0 ] || refuse "a directory is another machine's root for root alone: run it as root"
PATH=$PATH:/usr/sbin:/sbin
command -v debootstrap >/dev/null || refuse "debootstrap is missing: install the package debootstrap"

work=$(mktemp -d)
mounted=
end() {
	[ -z "$mounted" ] || umount "$mounted" || true
	rm -rf --one-file-system "$work"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

# mirror prints the first of the machine's package sources that has a suite.
mirror() {
	[ -z "${DEBIAN_MIRROR:-}" ] || { echo "$DEBIAN_MIRROR" && return; }
	for uri in $(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sort -u); do
		/usr/lib/apt/apt-helper -qq download-file "${uri%/}/dists/$1/Release" "$work/Release" >/dev/null 2>&1 || continue
		grep -qx 'Label: Debian' "$work/Release" || continue
		echo "$uri"
		return
	done
	return 1
}

# root makes the directory of a suite, if it is not there.
root() {
	[ ! -e "bin/s6/$1/bin/s6-svscan" ] && [ ! -e "bin/s6/$1/usr/bin/s6-svscan" ] || return 0
	from=$(mirror "$1") || {
		echo "None of the package sources of this machine has Debian's $1: name a mirror with DEBIAN_MIRROR=..." >&2
		return 1
	}
	rm -rf --one-file-system "bin/s6/$1"
	mkdir -p bin/s6
	echo "Making bin/s6/$1 with debootstrap from $from: about a minute ..."
	debootstrap --variant=minbase --include=s6,execline "$1" "bin/s6/$1" "$from" >"$work/log" 2>&1 </dev/null || {
		tail -n 5 "$work/log" >&2
		rm -rf --one-file-system "bin/s6/$1"
		return 1
	}
}

CGO_ENABLED=0 go test -c -tags integration -o "$work/conform.test" ./integration
failed=
for suite; do
	if ! root "$suite"; then
		failed="$failed $suite"
		continue
	fi
	cp "$work/conform.test" "bin/s6/$suite/conform.test"
	[ -c "bin/s6/$suite/dev/null" ] || mknod -m 666 "bin/s6/$suite/dev/null" c 1 3
	mount -t proc proc "bin/s6/$suite/proc"
	mounted=bin/s6/$suite/proc
	echo "s6 of $suite ..."
	chroot "bin/s6/$suite" /conform.test -test.run '^TestConforms$' || failed="$failed $suite"
	umount "$mounted"
	mounted=
done
[ -z "$failed" ] || refuse "failed:$failed"
