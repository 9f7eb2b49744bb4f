#!/bin/sh
# Usage: enable.sh ROOT SERVICES TO PROGRAM
#
# Makes the s6-rc services of a program from those in SERVICES, and adds them to
# the bundle "user", which s6-overlay starts: all below TO, as it is to lie over
# ROOT, where s6-overlay was unpacked. Where the bundle is depends on its version:
#   up to 3.2.3.0  etc/s6-overlay/s6-rc.d
#   from 3.2.3.1   etc/s6-overlay/user-bundles.d, unless there is one in s6-rc.d:
#                  then /init writes there when it starts, which fails for a user
#                  that is not root and on a read-only root, and nothing starts
# What is neither is refused here, while the image is built.
set -eu
old=etc/s6-overlay/s6-rc.d/user
new=etc/s6-overlay/user-bundles.d/user
root=$1
from=$2
to=$3
program=$4

refuse() {
	echo "enable.sh: cannot add $program to the services of s6-overlay: $*: this version has another layout than those from 3.2.1.0 to 3.2.3.2; use one of these, or change container/overlay/enable.sh" >&2
	exit 1
}

if [ -e "$root/$old" ] && [ -e "$root/$new" ]; then
	refuse "both $old and $new are there"
elif [ -e "$root/$new" ]; then
	bundle=$new
elif [ -e "$root/$old" ]; then
	bundle=$old
else
	refuse "neither $old nor $new is there"
fi
[ "$(cat "$root/$bundle/type" 2>/dev/null)" = bundle ] || refuse "$bundle is no bundle"

services=$to/etc/s6-overlay/s6-rc.d
mkdir -p "$services" "$to/$bundle/contents.d"
for service in "$from"/PROGRAM*; do
	name=${service##*/}
	made=$services/$program${name#PROGRAM}
	cp -R "$service" "$made"
	find "$made" -type f -exec sed -i "s/PROGRAM/$program/g" {} +
	[ ! -e "$made/pipeline-name" ] || : >"$to/$bundle/contents.d/$(cat "$made/pipeline-name")"
done
