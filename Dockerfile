# Two images under s6, as targets of one build:
#   fivebenthos  five Benthos streams; what is built if no target is named. Its
#                evenkeel asks them
#   evenkeel     what the files mounted at /etc/evenkeel declare
# INIT says what PID 1 is:
#   svscan      s6-svscan of Debian's own s6
#   s6-overlay  /init of s6-overlay, for images that have it anyway. Its tarballs
#               come from container/overlay if they are there, otherwise from
#               its release page:
#
#   docker build --build-arg INIT=s6-overlay -t evenkeel/fivebenthos:s6-overlay .
#   docker run -e S6_READ_ONLY_ROOT=1 --read-only --tmpfs /run:exec --tmpfs /tmp -v fivebenthos-data:/data \
#       -p 127.0.0.1:8080-8084:8080-8084 -p 127.0.0.1:9080-9084:9080-9084 evenkeel/fivebenthos:s6-overlay
#
# Needs nothing but the two base images, the mirror that the first is set up
# for, and a Go module proxy. Without a registry, container/base-images.sh
# builds the base images under these names. Builds with BuildKit and with the
# builder before it, which builds every stage whatever INIT is: those of the
# other one do nothing that could fail.
ARG BASE_IMAGE=debian:trixie-slim
ARG GO_IMAGE=golang:1.26-trixie
ARG INIT=svscan

FROM ${GO_IMAGE} AS build
# As "go env" has them where the build is started; unset, Go's own defaults.
ARG GOPROXY
ARG GOSUMDB
ARG GOPRIVATE
ARG GONOPROXY
ARG GONOSUMDB
ARG GOINSECURE
ENV CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false"
# The engine first: it takes longest and changes least.
WORKDIR /src/benthos/engine
COPY benthos/engine/go.mod benthos/engine/go.sum benthos/engine/main.go ./
RUN go build -ldflags "-s -w" -o /out/benthos .
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY fsm fsm/
COPY filesystem filesystem/
COPY journal journal/
COPY internal/proc internal/proc/
COPY internal/inotify internal/inotify/
COPY internal/spell internal/spell/
COPY internal/nearest internal/nearest/
COPY s6 s6/
COPY ports ports/
COPY benthos benthos/
COPY api api/
COPY metrics metrics/
COPY config config/
COPY runner runner/
COPY internal/words internal/words/
COPY internal/top internal/top/
COPY internal/serve internal/serve/
COPY internal/cli internal/cli/
COPY cmd/evenkeel cmd/evenkeel/
COPY examples/fivebenthos examples/fivebenthos/
RUN go build -ldflags "-s -w" -o /out/ ./cmd/evenkeel ./examples/fivebenthos

FROM ${BASE_IMAGE} AS svscan
ARG INIT
RUN [ "${INIT}" != svscan ] || { apt-get update \
	&& apt-get install -y --no-install-recommends s6 execline procps \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log; }
COPY container/init container/end container/reload container/healthcheck /usr/local/lib/evenkeel/
COPY container/service /usr/local/lib/evenkeel/service/
COPY container/svscan /usr/local/lib/evenkeel/svscan/
# That of fivebenthos; evenkeel has its own.
HEALTHCHECK --interval=2s --timeout=5s --start-period=10s --retries=2 \
	CMD ["/usr/local/lib/evenkeel/healthcheck"]
ENTRYPOINT ["/usr/local/lib/evenkeel/init"]

FROM ${BASE_IMAGE} AS overlay
ARG INIT
# The first version that runs as any user with a /run that is root's; any up to
# 3.2.3.2 will do. The checksums go with the version; S6_OVERLAY_ARCH is as
# "uname -m" says.
ARG S6_OVERLAY_VERSION=3.2.1.0
ARG S6_OVERLAY_ARCH=x86_64
ARG S6_OVERLAY_NOARCH_SHA256=42e038a9a00fc0fef70bf0bc42f625a9c14f8ecdfe77d4ad93281edf717e10c5
ARG S6_OVERLAY_ARCH_SHA256=8bcbc2cada58426f976b159dcc4e06cbb1454d5f39252b3bb0c778ccf71c9435
ARG S6_OVERLAY_URL=https://github.com/just-containers/s6-overlay/releases/download/v${S6_OVERLAY_VERSION}
COPY container/overlay /tarballs/
COPY container/programs /programs/
COPY container/s6-rc.d /services/
# What only one of the images has lies apart. The builder before BuildKit loses
# layers that are empty: there is something to copy whatever INIT is.
RUN mkdir -p /overlay/etc/s6-overlay; \
	for program in fivebenthos evenkeel; do \
		install -D -m 644 /programs/$program /images/$program/usr/local/lib/evenkeel/program || exit; \
	done; \
	[ "${INIT}" != s6-overlay ] || { sh /tarballs/install.sh /overlay "${S6_OVERLAY_ARCH}" \
	"s6-overlay-noarch.tar.xz ${S6_OVERLAY_NOARCH_SHA256}" \
	"s6-overlay-${S6_OVERLAY_ARCH}.tar.xz ${S6_OVERLAY_ARCH_SHA256}" \
	&& sh /tarballs/enable.sh /overlay /services /images/fivebenthos fivebenthos \
	&& sh /tarballs/enable.sh /overlay /services /images/evenkeel evenkeel; }

FROM ${BASE_IMAGE} AS s6-overlay
COPY --from=overlay /overlay/ /
# S6_KEEP_ENV        services see the container's environment
# S6_CMD_WAIT_FOR_SERVICES_MAXTIME
#                    milliseconds that the program has to keep its instances, 0
#                    for as long as it takes; after it the container ends
# S6_KILL_GRACETIME  milliseconds that a stop always takes: nothing is left to
#                    stop by then
ENV PATH=/command:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	S6_KEEP_ENV=1 \
	S6_CMD_WAIT_FOR_SERVICES_MAXTIME=0 \
	S6_BEHAVIOUR_IF_STAGE2_FAILS=2 \
	S6_KILL_GRACETIME=500
HEALTHCHECK --interval=2s --timeout=5s --start-period=10s --retries=2 \
	CMD ["fivebenthos", "-healthcheck", "-scan-dir", "/run/service"]
# With --read-only it needs S6_READ_ONLY_ROOT=1 and --tmpfs /run:exec besides; a
# user of group 0 needs a /run that not everybody can write, or another group.
ENTRYPOINT ["/init"]

# What both images have.
FROM ${INIT} AS image
# Any user can write here. A tmpfs or volume takes the mode over.
RUN install -d -m 1777 /data /run
COPY --from=build /out/benthos /out/evenkeel /usr/local/bin/
ARG VERSION=dev
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}" \
	org.opencontainers.image.created="${CREATED}"
USER 1000:1000
WORKDIR /data
VOLUME /data

FROM image AS evenkeel
COPY --from=overlay /images/evenkeel/ /
LABEL org.opencontainers.image.title="evenkeel" \
	org.opencontainers.image.description="Services and Benthos streams kept running under s6 as files declare them"
HEALTHCHECK --interval=2s --timeout=5s --start-period=10s --retries=2 \
	CMD ["evenkeel", "health", "--dir", "/data", "--scan-dir", "/run/service"]

FROM image AS fivebenthos
COPY --from=overlay /images/fivebenthos/ /
COPY --from=build /out/fivebenthos /usr/local/bin/
LABEL org.opencontainers.image.title="fivebenthos" \
	org.opencontainers.image.description="Five Benthos streams kept running under s6"
# How much fivebenthos prints: 0 what goes wrong, 1 also recoveries, 2 every
# transition, 3 also every attempt that failed. s6-overlay's s6-rc reads it as well.
ENV S6_VERBOSITY=2
EXPOSE 8080-8084 9080-9084
