# The whole API in one image, as `cargo dev` serves it: for development and demonstrations. What is deployed are the
# functions of template.yaml. `docker compose --profile api up` builds it and starts it beside a Postgres.
ARG BUILD_IMAGE=rust:1.95.0-bookworm
ARG RUN_IMAGE=debian:bookworm-slim
# `built` takes the binary that cargo has built outside, on the same Debian as RUN_IMAGE.
ARG BINARY=compiled

FROM ${BUILD_IMAGE} AS compiled
WORKDIR /src
COPY . .
# Optimised, but not across crates: that takes minutes and gigabytes which only functions need.
ENV CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
RUN cargo build --locked --release --package local --bin dev && cp target/release/dev /microloans

FROM scratch AS built
COPY target/debug/dev /microloans

FROM ${BINARY} AS binary

FROM ${RUN_IMAGE}
COPY --from=binary /microloans /usr/local/bin/microloans
# No user of the system: it owns no file and needs none.
USER 10001:10001
EXPOSE 3000
HEALTHCHECK --interval=2s --timeout=5s --start-period=60s --retries=15 CMD ["/bin/bash", "-c", \
  "exec 3<>/dev/tcp/127.0.0.1/3000 && printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep --quiet ' 200 '"]
ENTRYPOINT ["/usr/local/bin/microloans", "--host", "0.0.0.0"]
