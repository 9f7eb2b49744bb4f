#!/bin/sh
# Usage: where.sh ELSE
#
# Prints where to run: docker if a Docker engine answers, otherwise host, after
# saying ELSE on standard error. CONTAINER set to docker or none decides; if
# docker is wanted and no engine answers, it exits with 1.
set -eu

case ${CONTAINER:-} in
none)
	echo "CONTAINER=none: $1." >&2
	echo host
	;;
docker | "")
	if docker version >/dev/null 2>&1; then
		echo docker
	elif [ -z "${CONTAINER:-}" ]; then
		echo "No Docker engine answers: $1." >&2
		echo host
	else
		echo "CONTAINER=docker, but no Docker engine answers: start one, or see what \"docker version\" says." >&2
		exit 1
	fi
	;;
*)
	echo "CONTAINER=$CONTAINER is neither docker nor none." >&2
	exit 2
	;;
esac
