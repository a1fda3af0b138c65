# Sidelight in a container: what `make build` makes, on Debian 12 without compilers.
#
#   docker build -t sidelight .
#   docker run --rm -p 8080:8080 -v "$PWD/examples:/srv:ro" sidelight serve --listen 0.0.0.0:8080 /srv/service/service.js

FROM swift:6.2-bookworm AS build
WORKDIR /src
# The packages and V8 first: they change less often than the sources.
COPY scripts/setup scripts/bind-library scripts/
RUN SIDELIGHT_V8=private scripts/setup
COPY . .
RUN scripts/build

FROM debian:12-slim
# Those that the binaries and libnode are linked against, and the two that are loaded when they are needed: libcurl4, libc-ares2.
RUN apt-get update && apt-get install -y --no-install-recommends \
    ca-certificates libbrotli1 libc-ares2 libcurl4 libgcc-s1 libicu72 libnghttp2-14 libre2-9 libsimdjson14 libsqlite3-0 libssl3 \
    libstdc++6 libuv1 libyaml-0-2 libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* && useradd --system --uid 10001 --create-home --home-dir /data sidelight
# The worker looks for libnode in .deps/lib three folders above its own: the one that its snapshot was made with.
COPY --from=build /src/.deps/lib/libnode.so.108 /opt/sidelight/.deps/lib/
COPY --from=build /src/.build/release/sidelight /src/.build/release/sidelight-worker /src/.build/release/sidelight-worker.snapshot /opt/sidelight/usr/local/bin/
RUN ln -s /opt/sidelight/usr/local/bin/sidelight /usr/local/bin/sidelight
USER sidelight
# Where the store goes, which is `.sidelight/`.
WORKDIR /data
VOLUME /data
EXPOSE 8080 9464
ENTRYPOINT ["sidelight"]
CMD ["--help"]
