// tests/features/engines/cuda_driver_test.cpp: every answer of a driver, by one that is made up.
#include "features/engines/cuda_driver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace headstart {
namespace {

using testing::HasSubstr;

CudaDriver made_up(const char* behaviour) {
  setenv("HEADSTART_MADE_UP_DRIVER", behaviour, 1);
  return find_cuda_driver(HEADSTART_MADE_UP_DRIVER);
}

TEST(CudaDriver, SaysWhichDevicesThereAre) {
  const CudaDriver driver = made_up("");
  EXPECT_EQ(driver.problem, "");
  EXPECT_EQ(driver.version, 12040);
  ASSERT_EQ(driver.devices.size(), 2U);
  EXPECT_EQ(describe(driver.devices[0]), "Made-up 0, compute capability 8.6, 24.0 GiB");
  EXPECT_EQ(describe(driver.devices[1]), "Made-up 1, compute capability 9.6, 24.0 GiB");
  EXPECT_EQ(cuda_version_text(driver.version), "12.4");
}

TEST(CudaDriver, TellsWhatIsWrong) {
  EXPECT_THAT(find_cuda_driver("libheadstart-no-such.so").problem, HasSubstr("no NVIDIA driver"));
  EXPECT_THAT(find_cuda_driver("libm.so.6").problem, HasSubstr("lacks functions"));
  EXPECT_THAT(made_up("100").problem, HasSubstr("finds no device"));
  EXPECT_THAT(made_up("none").problem, HasSubstr("finds no device"));
  EXPECT_THAT(made_up("35").problem, HasSubstr("does not start: CUDA error 35"));
  EXPECT_THAT(made_up("silent").problem, HasSubstr("does not answer for device 0"));
  EXPECT_EQ(made_up("silent").devices.size(), 0U);
  EXPECT_EQ(made_up("35").version, 12040) << "a driver that is too old says so";
}

TEST(CudaDriver, TheOneOfThisMachineIsUsableOrHasAProblem) {
  const CudaDriver driver = find_cuda_driver();
  EXPECT_NE(driver.problem.empty(), driver.devices.empty()) << driver.problem;
}

}  // namespace
}  // namespace headstart
