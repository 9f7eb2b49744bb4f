#!/bin/sh
# Usage: stage.sh NAME COMMAND [WORD...]
#
# Runs a command, and says before what is done and after how long it took.
set -u

name=$1
shift
begin=$(date +%s)
echo "$name ..."
"$@"
code=$?
took=$(($(date +%s) - begin))
if [ $code -eq 0 ]; then
	echo "$name: done in $took s"
else
	echo "$name: failed after $took s" >&2
fi
exit $code
