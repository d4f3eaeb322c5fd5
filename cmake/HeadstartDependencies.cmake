# Every third-party package, found once. Names and versions are Debian 12's; scripts/install-packages installs them.
find_package(Threads REQUIRED)
find_package(OpenCV REQUIRED COMPONENTS core dnn)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
include(HeadstartHdf5)
include(HeadstartOpenblas)
find_package(dnnl REQUIRED)
find_package(TBB REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(GIF 5 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(WebP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
pkg_check_modules(OpenJPEG REQUIRED IMPORTED_TARGET libopenjp2)
find_package(TIFF 4.5 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(LibArchive 3.4 REQUIRED)
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus 3.3 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(hwy REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)

# Optional: training and extraction over several processes.
if(HEADSTART_MPI)
  find_package(MPI COMPONENTS C)
endif()
if(MPI_C_FOUND)
  message(STATUS "MPI ${MPI_C_VERSION}: several processes extract or train together")
else()
  message(STATUS "No MPI: processes of one mpirun take shards to extract, and cannot train together (Debian: libopenmpi-dev)")
endif()

# Optional: fine-tuning on a GPU.
if(HEADSTART_LIBTORCH AND NOT HEADSTART_SANITIZE) # it was not built with sanitizers
  find_package(Torch QUIET)
endif()
if(Torch_FOUND)
  message(STATUS "libtorch: finetune --backprop libtorch")
else()
  message(STATUS "No libtorch: fine-tuning runs on the CPU (Debian: libtorch-dev)")
endif()

# What several folders link. Headers of imported targets are system headers: our warnings are about our code.
add_library(headstart_opencv_libraries INTERFACE)
target_link_libraries(headstart_opencv_libraries INTERFACE opencv_core opencv_dnn)

add_library(headstart_toml INTERFACE) # its headers alone: they hold all of it
get_target_property(toml_headers tomlplusplus::tomlplusplus INTERFACE_INCLUDE_DIRECTORIES)
target_include_directories(headstart_toml SYSTEM INTERFACE ${toml_headers})

add_library(headstart_hdf5 INTERFACE)
target_link_libraries(headstart_hdf5 INTERFACE headstart_hdf5_c)
