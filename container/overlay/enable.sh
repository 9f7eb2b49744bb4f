#!/bin/sh
# Usage: enable.sh ROOT SERVICE
#
# Adds a service to the bundle "user", which s6-overlay starts. Where the bundle
# is depends on the version that was unpacked below ROOT:
#   up to 3.2.3.0  etc/s6-overlay/s6-rc.d
#   from 3.2.3.1   etc/s6-overlay/user-bundles.d, unless there is one in s6-rc.d:
#                  then /init writes there when it starts, which fails for a user
#                  that is not root and on a read-only root, and nothing starts
# What is neither is refused here, while the image is built.
set -eu
old=etc/s6-overlay/s6-rc.d/user
new=etc/s6-overlay/user-bundles.d/user
cd "$1"

refuse() {
	echo "enable.sh: cannot add $service to the services of s6-overlay: $*: this version has another layout than those from 3.2.1.0 to 3.2.3.2; use one of these, or change container/overlay/enable.sh" >&2
	exit 1
}

service=$2
if [ -e $old ] && [ -e $new ]; then
	refuse "both $old and $new are there"
elif [ -e $new ]; then
	bundle=$new
elif [ -e $old ]; then
	bundle=$old
else
	refuse "neither $old nor $new is there"
fi
[ "$(cat $bundle/type 2>/dev/null)" = bundle ] || refuse "$bundle is no bundle"
mkdir -p $bundle/contents.d
: >"$bundle/contents.d/$service"
