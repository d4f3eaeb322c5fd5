// tests/pipeline/commands/taps_command_test.cpp: a tap that is missing above a cached one, as a user meets
// it: what the plan and the summary say, and that nothing else than the time tells the difference.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/pipeline/commands/mpi_launch.hpp"
#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSummary = "24 computed, 0 rejected; 24 rows from the cached block4_pool";

/// The shared run's dataset, and a cache that has its block4_pool.
class TapBelow : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(extract({"--tap", "block4_pool"}).exit_code, 0); }

  [[nodiscard]] std::vector<std::string> extract_arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{
        "extract", shared_run().dataset.string(), "--cache", cache(), "--engine", "native"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  [[nodiscard]] ProcessResult extract(const std::vector<std::string>& more) const {
    return headstart_process(extract_arguments(more));
  }
  [[nodiscard]] std::string cache() const { return (scratch_ / "cache").string(); }

  const ScratchFolder scratch_;
};

TEST_F(TapBelow, TrainGivesTheBytesOfARunFromImages) {
  const std::string from_images = (scratch_ / "images-cache").string();
  ASSERT_EQ(headstart_process(shared_arguments(scratch_ / "images", {"--views", "1", "--cache", from_images}))
                .exit_code,
            0);
  const fs::path out = scratch_ / "taps";
  const ProcessResult result = headstart_process(shared_arguments(out, {"--views", "1", "--cache", cache()}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find(kSummary), std::string::npos) << result.err;
  EXPECT_NE(result.err.find(", from block4_pool), batch"), std::string::npos) << result.err;
  EXPECT_EQ(metrics_of(out)["images"]["cache_misses"], 24);
  expect_same_bytes(out, scratch_ / "images");
}

TEST_F(TapBelow, ThePlanSaysWhatNeedsNoImage) {
  const ProcessResult plan = extract({"--tap", "block5_pool", "--dry-run"});
  EXPECT_NE(plan.out.find("24 images: 0 in the cache, 24 to compute, 0 unreadable\n"
                          "24 rows are computed from the cached block4_pool, not from images\n"),
            std::string::npos)
      << plan.out;
  const ProcessResult lower = extract({"--tap", "block3_pool", "--dry-run"});
  EXPECT_EQ(lower.out.find("rows are computed from"), std::string::npos) << lower.out;
}

TEST_F(TapBelow, ShardsComputeTheirPart) {
  HEADSTART_ONLY_NIGHTLY();
  int rows = 0;
  for (const char* shard : {"0/2", "1/2"}) {
    const ProcessResult result = extract({"--shard", shard});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const std::size_t at = result.out.find(" rejected; ");
    ASSERT_NE(at, std::string::npos) << result.out;
    rows += std::stoi(result.out.substr(at + std::string(" rejected; ").size()));
  }
  EXPECT_EQ(rows, 24);
  EXPECT_NE(extract({}).out.find("24 from the cache"), std::string::npos);
}

TEST_F(TapBelow, ProcessesOfOneLaunchShareTheWork) {
  HEADSTART_ONLY_NIGHTLY();
  if (const std::string reason = no_mpirun(); !reason.empty()) GTEST_SKIP() << reason;
  const ProcessResult extracted = launch({{2, extract_arguments({})}});
  ASSERT_EQ(extracted.exit_code, 0) << extracted.err;
  EXPECT_NE(extracted.out.find("24 computed, 0 rejected; 24 rows from cached lower taps"), std::string::npos)
      << extracted.out;
}

TEST_F(TapBelow, ProcessesThatTrainTogetherShareTheWork) {
  HEADSTART_ONLY_NIGHTLY();
  if (const std::string reason = no_mpirun(); !reason.empty()) GTEST_SKIP() << reason;
  const std::vector<std::string> primal{"--solver", "primal"};
  ASSERT_EQ(headstart_process(shared_arguments(scratch_ / "alone", primal)).exit_code, 0);
  const ProcessResult trained =
      launch({{2, shared_arguments(scratch_ / "of2", {"--solver", "primal", "--cache", cache()})}});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  EXPECT_NE(trained.err.find(kSummary), std::string::npos) << trained.err;
  expect_same_bytes(scratch_ / "of2", scratch_ / "alone");
}

}  // namespace
}  // namespace headstart::test
