#!/bin/sh
# Usage: soak.sh N LOAD
#
# Runs "make test-host" N times, with LOAD busy loops beside it, and prints how
# often each test failed. Exits with 1 if one did. What the runs printed is in
# bin/soak/.
set -eu

runs=$1
load=$2
self=$$
into=bin/soak
rm -rf "$into"
mkdir -p "$into"

# busy keeps a processor busy for as long as this script lives, however it ends.
busy() {
	while kill -0 "$self" 2>/dev/null; do
		n=0
		while [ $n -lt 100000 ]; do n=$((n + 1)); done
	done
}

loops=
end() {
	# shellcheck disable=SC2086 # several processes
	[ -z "$loops" ] || kill $loops 2>/dev/null || true
}
trap end EXIT
trap 'exit 130' HUP INT TERM
n=0
while [ $n -lt "$load" ]; do
	busy </dev/null >/dev/null 2>&1 &
	loops="$loops $!"
	n=$((n + 1))
done

# What failed before does not count as having passed: results are not cached.
export GOFLAGS="${GOFLAGS:-} -count=1"

passed=0
n=1
while [ $n -le "$runs" ]; do
	begin=$(date +%s)
	if ${MAKE:-make} --no-print-directory test-host >"$into/run-$n.log" 2>&1 </dev/null; then
		verdict=passed
		passed=$((passed + 1))
	else
		verdict=failed
	fi
	echo "Run $n of $runs, beside $load busy loops: $verdict after $(($(date +%s) - begin)) s."
	n=$((n + 1))
done

echo "$passed of $runs passed."
[ "$passed" -lt "$runs" ] || exit 0
# Names come before the line with their package. A package may fail without any:
# it did not build, or a test took for ever.
awk '
	FNR == 1 { names = 0 }
	/^ *--- FAIL: / { name[names++] = $3; next }
	/^panic: test timed out/ { name[names++] = "(timed out)"; next }
	/^FAIL\t/ {
		if (!names) name[names++] = $3 == "[build" ? "(does not build)" : "(no test of it)"
		for (i = 0; i < names; i++) if (!seen[FILENAME, $2, name[i]]++) times[$2 " " name[i]]++
	}
	/^(FAIL|ok  )\t/ { names = 0 }
	/^make.*\*\*\*/ { if (!seen[FILENAME, "make"]++) stopped++ }
	END {
		for (test in times) printf "%4d times  %s\n", times[test], test
		if (!length(times) && stopped) printf "%4d times  make itself\n", stopped
	}' "$into"/run-*.log | sort -k1,1nr -k3
echo "See $into/."
exit 1
