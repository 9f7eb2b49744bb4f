# Five Benthos streams under s6, with s6-svscan as PID 1.
#
# Needs nothing but the two base images, the mirror that the first is set up
# for, and a Go module proxy. Without a registry, container/base-images.sh
# builds the base images under these names. Builds with BuildKit and with the
# builder before it.
ARG BASE_IMAGE=debian:trixie-slim
ARG GO_IMAGE=golang:1.26-trixie

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
COPY internal/proc internal/proc/
COPY s6 s6/
COPY ports ports/
COPY benthos benthos/
COPY examples/fivebenthos examples/fivebenthos/
RUN go build -ldflags "-s -w" -o /out/fivebenthos ./examples/fivebenthos

FROM ${BASE_IMAGE}
RUN apt-get update \
	&& apt-get install -y --no-install-recommends s6 execline procps \
	&& rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
# Whatever the user, it can write here. A tmpfs or volume takes the mode over.
RUN install -d -m 1777 /data /run
COPY container/init container/end container/healthcheck /usr/local/lib/evenkeel/
COPY container/fivebenthos /usr/local/lib/evenkeel/fivebenthos/
COPY container/svscan /usr/local/lib/evenkeel/svscan/
COPY --from=build /out/benthos /out/fivebenthos /usr/local/bin/

ARG VERSION=dev
ARG REVISION=
ARG CREATED=
LABEL org.opencontainers.image.title="fivebenthos" \
	org.opencontainers.image.description="Five Benthos streams kept running under s6" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}" \
	org.opencontainers.image.created="${CREATED}"

# How much fivebenthos tells: 0 what goes wrong, 1 recoveries too, 2 every
# transition, 3 every attempt that failed.
ENV S6_VERBOSITY=2
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 8080-8084 9080-9084
HEALTHCHECK --interval=2s --timeout=5s --start-period=10s --retries=2 \
	CMD ["/usr/local/lib/evenkeel/healthcheck"]
ENTRYPOINT ["/usr/local/lib/evenkeel/init"]
