// tests/features/engines/cuda_support_test.cpp: OpenCV's build report, and each thing that can be missing for
// CUDA.
#include "features/engines/cuda_support.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core/utility.hpp>

namespace headstart {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;

constexpr const char* kReport = R"(
General configuration for OpenCV 4.14.0 =====================================

  Parallel framework:            pthreads

  NVIDIA CUDA:                   YES (ver 13.0, CUBLAS)
    NVIDIA GPU arch:             86 90
    NVIDIA PTX archs:

  cuDNN:                         YES (ver 9.19.0)

  Python (for build):            /usr/bin/python3
)";

/// A machine where all is there.
CudaFacts working() {
  return {.build = parse_cuda_build(kReport),
          .driver = {.version = 13000, .devices = {{"NVIDIA H100", 9, 0, std::uint64_t{80} << 30U}}},
          .devices = 1,
          .dnn_target_works = true};
}

std::string missing(const CudaFacts& facts, OpencvTarget kind = OpencvTarget::kCuda) {
  return missing_for_cuda(facts, kind);
}

TEST(CudaSupport, ReadsOpencvsBuildReport) {
  const CudaBuild build = parse_cuda_build(kReport);
  EXPECT_EQ(build.cuda, "13.0");
  EXPECT_EQ(build.cudnn, "9.19.0");
  EXPECT_THAT(build.architectures, ElementsAre("86", "90"));

  EXPECT_EQ(parse_cuda_build("  NVIDIA CUDA:  NO\n").cuda, "");
  EXPECT_EQ(parse_cuda_build("").cuda, "");
  EXPECT_EQ(parse_cuda_build("  NVIDIA CUDA:  YES\n  cuDNN: NO\n").cuda, "of unknown version");
  EXPECT_EQ(parse_cuda_build("  NVIDIA CUDA:  YES\n  cuDNN: NO\n").cudnn, "");
}

TEST(CudaSupport, TheReportOfThisOpencvIsUnderstood) {
  const CudaBuild build = parse_cuda_build(cv::getBuildInformation());
  const bool with_cuda =
      cv::getBuildInformation().find("NVIDIA CUDA:                   YES") != std::string::npos;
  EXPECT_EQ(!build.cuda.empty(), with_cuda) << cv::getBuildInformation();
}

TEST(CudaSupport, MissesNothingWhereCudaWorks) {
  EXPECT_EQ(missing(working()), "");
  EXPECT_EQ(missing(working(), OpencvTarget::kCudaFp16), "");
  EXPECT_EQ(describe(working()),
            "CUDA 13.0, cuDNN 9.19.0; NVIDIA H100, compute capability 9.0, 80.0 GiB; driver for CUDA up to "
            "13.0");
}

TEST(CudaSupport, SaysThatOpencvWasBuiltWithoutCudaAndWhatWouldHelp) {
  CudaFacts facts = working();
  facts.build = {};
  EXPECT_THAT(missing(facts), AllOf(MatchesRegex("this OpenCV \\([0-9.]+.*\\) was built without CUDA.*"),
                                    HasSubstr("scripts/build-opencv-cuda"), HasSubstr("NVIDIA H100")));
  facts.driver = {.problem = "no NVIDIA driver"};
  EXPECT_THAT(missing(facts), MatchesRegex("this OpenCV \\([0-9.]+.*\\) was built without CUDA"));
  facts = working();
  facts.build.cudnn.clear();
  EXPECT_THAT(missing(facts), HasSubstr("built without cuDNN"));
}

TEST(CudaSupport, TellsAMissingDriverFromAnOldOneAndFromAMissingDevice) {
  CudaFacts facts = working();
  facts.driver = {.problem = "no NVIDIA driver: libcuda.so.1 cannot be loaded"};
  facts.devices = 0;
  EXPECT_EQ(missing(facts), facts.driver.problem);
  facts = working();
  facts.devices = -1;
  facts.driver.version = 12040;
  EXPECT_THAT(missing(facts), AllOf(HasSubstr("driver runs CUDA 12.4 at most"), HasSubstr("13.0")));
  facts.devices = 0;
  EXPECT_THAT(missing(facts), HasSubstr("finds no CUDA device"));
}

TEST(CudaSupport, TellsADeviceThatOpencvWasNotBuiltFor) {
  CudaFacts facts = working();
  facts.driver.devices.front().compute_major = 12;
  EXPECT_THAT(missing(facts), AllOf(HasSubstr("compute capability 86 90"), HasSubstr("12.0")));
  // Code for 8.6 runs on 8.9, but neither on 8.0 nor on 9.0.
  facts.build.architectures = {"8.6"};
  facts.driver.devices.front().compute_major = 8;
  facts.driver.devices.front().compute_minor = 9;
  EXPECT_EQ(missing(facts), "");
  facts.driver.devices.front().compute_minor = 0;
  EXPECT_THAT(missing(facts), HasSubstr("was built for"));
}

TEST(CudaSupport, TellsADnnModuleWithoutCudaFromADeviceWithoutFp16) {
  CudaFacts facts = working();
  facts.dnn_target_works = false;
  EXPECT_THAT(missing(facts), HasSubstr("OPENCV_DNN_CUDA"));
  EXPECT_THAT(missing(facts, OpencvTarget::kCudaFp16), HasSubstr("no 16-bit CUDA target"));
}

TEST(CudaSupport, WhatIsFoundHereFitsTogether) {
  const CudaFacts facts = find_cuda(OpencvTarget::kCuda);
  if (facts.build.cuda.empty() || !facts.driver.problem.empty()) {
    EXPECT_EQ(facts.devices, 0);
    EXPECT_FALSE(facts.dnn_target_works);
    EXPECT_THAT(missing(facts), testing::Not(IsEmpty()));
  }
}

}  // namespace
}  // namespace headstart
