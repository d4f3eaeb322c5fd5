# docs/gpu.Dockerfile: headstart with OpenCV's CUDA engines (docs/gpu.md). Build from the repository's root:
#   docker build -f docs/gpu.Dockerfile --build-arg ARCH=8.6 -t headstart-cuda .
# Never run so far: whether Ubuntu 24.04 has every package under Debian's name is not known.
FROM nvidia/cuda:13.0.1-cudnn-devel-ubuntu24.04 AS build
ARG ARCH
COPY . /headstart
WORKDIR /headstart
RUN scripts/install-packages build && apt-get install --yes --no-install-recommends python3-venv
RUN scripts/build-opencv-cuda --arch "$ARCH" --prefix /opt/opencv-cuda
RUN cmake --preset cuda -D OpenCV_DIR=/opt/opencv-cuda/lib/cmake/opencv4 \
      -D HEADSTART_TESTS=OFF -D HEADSTART_BENCHMARKS=OFF \
  && cmake --build --preset cuda --target headstart

ENTRYPOINT ["/headstart/build/cuda/bin/headstart"]
