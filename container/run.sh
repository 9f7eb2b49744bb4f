#!/bin/sh
# Usage: run.sh MODE [FLAG...]
#
# Runs the container image of fivebenthos, evenkeel/fivebenthos:latest or IMAGE,
# with flags of it. Modes:
#   foreground   until Ctrl-C; the container is removed afterwards
#   background   and returns when all instances are healthy
#   once         with a volume of its own and no port published, until it ends
#   stop         ends the container in order and removes it; its volume stays
#   logs         shows what the container prints, and goes on until Ctrl-C
#   top          the live table of its instances
#   shell        a shell inside it, or in a fresh container where none runs
#   remove       removes container, volume and all images
# Except with "once", that is the container fivebenthos, or NAME, with a volume
# named after it. S6_VERBOSITY says how much is printed, PUBLISH at which address
# of this host the ports are published: 127.0.0.1 by default.
set -eu

mode=$1
shift
image=${IMAGE:-evenkeel/fivebenthos:latest}
name=${NAME:-fivebenthos}
volume=$name-data
publish=${PUBLISH:-127.0.0.1}

running() {
	[ "$(docker inspect -f '{{.State.Running}}' "$name" 2>/dev/null)" = true ]
}

# run calls docker run with the settings of docker-compose.yml, further options
# and, after the image, flags of fivebenthos.
run() {
	docker run -e "S6_VERBOSITY=${S6_VERBOSITY:-2}" \
		--read-only --tmpfs /run --tmpfs /tmp \
		--cap-drop ALL --security-opt no-new-privileges \
		--memory 768m --cpus 1.0 --pids-limit 512 "$@"
}

# start runs the container.
start() {
	if running; then
		echo "The container $name runs already: end it with \"make stop\"." >&2
		exit 1
	fi
	docker rm -f "$name" >/dev/null 2>&1 || true
	run --name "$name" -v "$volume:/data" \
		-p "$publish:8080-8084:8080-8084" -p "$publish:9080-9084:9080-9084" "$@"
}

healthy() {
	[ "$(docker inspect -f '{{.State.Health.Status}}' "$name")" = healthy ]
}

if [ "$mode" != remove ] && ! docker version >/dev/null 2>&1; then
	echo "No Docker engine answers, and what runs on this host runs in the foreground: there is nothing to $mode. See what \"docker version\" says." >&2
	exit 1
fi

case $mode in
foreground)
	# Ctrl-C is for the client, which passes it on to PID 1. A terminal of the
	# container's own, which -i would connect, would tell every supervisor too.
	trap : INT
	terminal=
	[ ! -t 1 ] || terminal="-t -e TERM=${TERM:-dumb} -e NO_COLOR -e COLORTERM"
	# shellcheck disable=SC2086 # nothing or several options
	start --rm $terminal "$image" "$@"
	;;
background)
	start -d "$image" "$@" >/dev/null
	n=0
	until healthy; do
		n=$((n + 1))
		if ! running || [ $n -gt 120 ]; then
			docker logs --tail 20 "$name" >&2
			echo "The container $name is not healthy." >&2
			exit 1
		fi
		sleep 0.5
	done
	echo "The container $name is healthy: POST to localhost:8080 to 8084, ask localhost:9080 to 9084/metrics."
	;;
once)
	trap : INT
	run --rm "$image" "$@"
	;;
stop)
	docker inspect "$name" >/dev/null 2>&1 || { echo "There is no container $name." && exit; }
	docker stop -t 10 "$name" >/dev/null
	docker rm "$name" >/dev/null 2>&1 || true # it may go by itself
	echo "Stopped."
	;;
logs) exec docker logs -f "$name" ;;
top) exec docker exec -it -e "TERM=${TERM:-dumb}" -e NO_COLOR -e COLORTERM "$name" evenkeel top ;;
shell)
	if running; then exec docker exec -it "$name" sh; fi
	exec docker run -it --rm -v "$volume:/data" "$image" sh
	;;
remove)
	if running; then
		echo "The container $name runs: end it with \"make stop\" before it is removed." >&2
		exit 1
	fi
	docker rm -f "$name" >/dev/null 2>&1 || true
	docker volume rm -f "$volume" >/dev/null || true
	docker rmi -f "$image" "${EVENKEEL_IMAGE:-evenkeel/evenkeel:latest}" evenkeel/fivebenthos:test evenkeel/evenkeel:test >/dev/null 2>&1 || true
	;;
*)
	echo "run.sh: there is no mode $mode" >&2
	exit 2
	;;
esac
