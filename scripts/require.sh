#!/bin/sh
# Usage: require.sh NAME...
#
# Makes sure that these are installed:
#   s6        the supervision suite
#   execline  the command language that comes with it
#   cc        a C compiler, which Go's race detector needs
#   chromium  a browser, in which the page is tested
#   compose   docker-compose, or Docker's compose plugin
#   promtool  which checks metrics and rules; it comes with Prometheus, which is
#             kept from running
#   runit, supervisor
#             other supervisors, to measure beside; supervisord is kept from running
#   make, git
# Installs what is missing from the system's packages, as root or through sudo.
# If neither works, it prints what to install and exits with 1.
set -eu

# found reports whether a program is in one of the directories that evenkeel
# searches.
found() {
	[ -n "$(PATH=$PATH:/command:/usr/bin:/bin:/usr/local/bin command -v "$1")" ]
}

compiles() {
	echo '#include <stdlib.h>' | "$(go env CC)" -fsyntax-only -x c - 2>/dev/null
}

missing=
for name; do
	case $name in
	s6) found s6-svscan && found s6-notifyoncheck || missing="$missing s6" ;;
	execline) found execlineb || missing="$missing execline" ;;
	cc) compiles || missing="$missing gcc libc6-dev" ;;
	chromium) found chromium || found chromium-browser || found google-chrome || found google-chrome-stable || missing="$missing chromium" ;;
	compose) found docker-compose || docker compose version >/dev/null 2>&1 || missing="$missing docker-compose" ;;
	promtool) found promtool || missing="$missing prometheus" ;;
	runit) found runsvdir || missing="$missing runit" ;;
	supervisor) found supervisord || missing="$missing supervisor" ;;
	make | git) found "$name" || missing="$missing $name" ;;
	*) echo "require.sh: there is no check for $name" >&2 && exit 2 ;;
	esac
done
[ -n "$missing" ] || exit 0

refuse() {
	echo "Missing:$missing. $1" >&2
	exit 1
}

as_root=
if ! command -v apt-get >/dev/null; then
	refuse "Install them with this system's package manager and try again."
elif [ "$(id -u)" -eq 0 ]; then
	:
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
	as_root=sudo
else
	refuse "Install them and try again: sudo apt-get install$missing"
fi

echo "Installing$missing with ${as_root:+$as_root }apt-get ..."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
	# In runlevel 1 no package starts what it has brought.
	$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$log" 2>&1
}
case $missing in
*prometheus*) [ ! -d /run/systemd/system ] || $as_root systemctl -q mask prometheus.service ;;
esac
case $missing in
*supervisor*) [ ! -d /run/systemd/system ] || $as_root systemctl -q mask supervisor.service ;;
esac
# The first attempt fails if the lists of packages are missing or stale.
# shellcheck disable=SC2086 # several packages
if ! apt install -y --no-install-recommends $missing && ! { apt update && apt install -y --no-install-recommends $missing; }; then
	cat "$log" >&2
	refuse "apt-get could not install them (on Ubuntu they may need: add-apt-repository universe)."
fi
