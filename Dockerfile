# Dockerfile: headstart as a container image: built into a Debian package, which the image installs.
#   docker build -t headstart .
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/work" -v headstart-cache:/cache headstart train images -o model
# Without MPI, libtorch and CUDA; docs/gpu.Dockerfile has the last.
FROM debian:bookworm-slim AS build
WORKDIR /headstart
# A layer of their own: sources change more often than packages.
COPY scripts/install-packages scripts/
RUN scripts/install-packages build
COPY . .
RUN cmake --preset release -D HEADSTART_TESTS=OFF -D HEADSTART_BENCHMARKS=OFF \
  && cmake --build --preset release --target package

FROM debian:bookworm-slim
COPY --from=build /headstart/build/release/headstart_*.deb /tmp/
# /cache is for any user, as /tmp is: --user is the caller's, so that what is written to /work is theirs.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends /tmp/headstart_*.deb \
  && rm -rf /var/lib/apt/lists/* /tmp/headstart_*.deb \
  && useradd --system --no-create-home headstart \
  && install --directory --mode=1777 /cache
ENV XDG_CACHE_HOME=/cache
VOLUME /cache
USER headstart
WORKDIR /work
ENTRYPOINT ["headstart"]
CMD ["--help"]
