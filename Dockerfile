# Three images, built for whatever platform is asked for (TARGETARCH):
#
#   docker build --target semel    -t semel .            the executable alone, to COPY --from or for an init container
#   docker build --target semelctl -t semelctl .         the operator's tool
#   docker build                   -t semel-runtime .    Debian with semel: FROM semel-runtime, COPY my-task, CMD
#
# make image builds all three with the engine that is there, and names the sources.

# For the labels. What a plain docker build cannot know: the commit, the time (seconds are nobody's; the epoch stands for
# "not told", as in reproducible builds) and where the sources are.
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
ARG SOURCE=

FROM swift:6.3-bookworm AS build
# hadolint ignore=DL3008 # what the distribution has at the time, with its security fixes
RUN apt-get -q update \
    && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        ca-certificates libhiredis-dev librabbitmq-dev libssl-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies are fetched again only when the manifest changes, and compiled again only when they change.
ARG TARGETARCH
COPY Package.swift ./
RUN --mount=type=cache,id=semel-build-$TARGETARCH,target=/src/.build swift package resolve
COPY scripts/static-flags scripts/no-unwind-tables.ld scripts/
COPY Examples/SecretScan Examples/SecretScan
COPY Benchmarks Benchmarks
COPY Tests Tests
COPY Sources Sources
# hadolint ignore=SC2046
RUN --mount=type=cache,id=semel-build-$TARGETARCH,target=/src/.build \
    mkdir -p /out/bin /out/root/etc/ssl/certs \
    && for product in semel semelctl secret-scan; do \
        swift build -c release --product "$product" $(grep -v '^#' scripts/static-flags) \
        && install ".build/release/$product" /out/bin/ || exit 1; \
    done \
    && install -D -m 644 Package.resolved /out/root/usr/share/doc/semel/Package.resolved
# What every image has besides: certificates of authorities, a user who is not root, and the versions that it was built of.
RUN cp /etc/ssl/certs/ca-certificates.crt /out/root/etc/ssl/certs/ \
    && echo 'semel:x:65532:65532:semel:/:/sbin/nologin' >/out/root/etc/passwd \
    && echo 'semel:x:65532:' >/out/root/etc/group

FROM scratch AS semel
COPY --from=build /out/root /
COPY --from=build /out/bin/semel /semel
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --retries=3 CMD ["/semel", "status"]
ENTRYPOINT ["/semel"]
ARG VERSION
ARG REVISION
ARG CREATED
ARG SOURCE
LABEL org.opencontainers.image.title="semel" \
      org.opencontainers.image.description="Claims one message, runs one command on it, settles it, and exits" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.source="$SOURCE"

FROM scratch AS semelctl
COPY --from=build /out/root /
COPY --from=build /out/bin/semelctl /usr/local/bin/semelctl
ENV PATH=/usr/local/bin SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/semelctl"]
ARG VERSION
ARG REVISION
ARG CREATED
ARG SOURCE
LABEL org.opencontainers.image.title="semelctl" \
      org.opencontainers.image.description="The operator's tool for semel: queues, messages, dead letters" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.source="$SOURCE"

FROM debian:bookworm-slim AS runtime
COPY --from=build /out/root/etc/ssl /etc/ssl
COPY --from=build /out/root/usr /usr
RUN groupadd --gid 65532 semel \
    && useradd --no-log-init --uid 65532 --gid semel --home-dir / --shell /usr/sbin/nologin semel
COPY --chmod=755 entrypoint /usr/local/bin/entrypoint
COPY --from=build /out/bin/secret-scan /usr/local/bin/secret-scan
COPY --from=build /out/bin/semel /usr/local/bin/semel
# OpenSSL looks elsewhere unless its package is installed.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --retries=3 CMD ["semel", "status"]
ENTRYPOINT ["entrypoint"]
# A stand-in: an image that is built from this one names its own task.
CMD ["secret-scan"]
ARG VERSION
ARG REVISION
ARG CREATED
ARG SOURCE
LABEL org.opencontainers.image.title="semel-runtime" \
      org.opencontainers.image.description="Debian with semel, to build task images from" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.source="$SOURCE"
