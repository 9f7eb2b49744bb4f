#!/bin/sh
# Usage: clean.sh
#
# Removes what a build and a run leave: in the current directory bin/, and
# run/ with all logs; where a Docker engine answers, the container with its volume
# and images, but not what these were built from.
# If a process still works in one of the directories, it removes nothing, says so
# and exits with 1.
set -eu

here=$(pwd -P)
alive=0
for process in /proc/[0-9]*; do
	case $(readlink "$process/cwd" 2>/dev/null) in
	"$here/run/services"/* | "$here/run/scan" | "$here/run/logs"/*)
		alive=$((alive + 1))
		last="$(cat "$process/comm" 2>/dev/null) ${process#/proc/}" ;;
	esac
done
if [ $alive -gt 0 ]; then
	echo "Nothing removed: $alive processes live in run/, $last among them." >&2
	echo "End them first: \"make run\" adopts them and ends them on Ctrl-C, \"s6-svscanctl -t run/scan\" ends them without it." >&2
	exit 1
fi
rm -rf bin run
[ "${CONTAINER:-}" = none ] || ! docker version >/dev/null 2>&1 || sh container/run.sh remove
