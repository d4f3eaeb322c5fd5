// tests/pipeline/rows/stage_one_test.cpp: rows that a run counts on, and that are lost before it reads them.
// Small inputs, so that the network takes no time.
#include "pipeline/rows/stage_one.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "pipeline/model/embedded_weights.hpp"
#include "pipeline/rows/extraction_trial.hpp"
#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ScratchFolder;

/// Stage one over eight images, done, with everything in one segment.
class StageOneTest : public testing::Test {
 protected:
  void SetUp() override {
    test::copy_samples(scratch_ / "dataset", {"birds", "bugs"}, 4);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(scratch_ / "dataset"))
      if (entry.is_regular_file()) files_.push_back({.file = entry.path()});
    stage_one_.emplace(load_weights(vgg16(), {}), std::vector{Tap{"block5_pool"}}, options(), session_);
    const Extraction extraction = stage_one_->run(files_);
    for (const ImageResult& image : extraction.images) {
      ASSERT_EQ(image.status, ImageStatus::kExtracted) << image.reason;
      keys_.push_back(*image.content);
    }
    ASSERT_EQ(segments().size(), 1U);
  }
  [[nodiscard]] StageOneOptions options() const {
    StageOneOptions options;
    options.cache = scratch_ / "cache";
    options.images.resize.size = 32;
    return options;
  }
  [[nodiscard]] std::vector<fs::path> segments() const {
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(scratch_ / "cache"))
      if (entry.path().extension() == ".h5") found.push_back(entry.path());
    return found;
  }
  void damage() const {
    std::fstream file(segments().front(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(-9, std::ios::end);
    file.put('\x55');
    file.put('\x55');
  }

  ScratchFolder scratch_;
  Console console_{Verbosity::kSilent};
  Session session_{console_, 2};
  std::vector<ImageSource> files_;
  std::vector<Sha256> keys_;
  std::optional<StageOne> stage_one_;
};

TEST_F(StageOneTest, RowsThatAreLostAreComputedAgain) {
  const SparseRows before = stage_one_->features(keys_);
  for (const bool removed : {false, true}) {
    if (removed) {
      fs::remove(segments().front());
    } else {
      damage();
    }
    EXPECT_EQ(stage_one_->features(keys_), before);
    EXPECT_EQ(segments().size(), 1U) << "and cached again";
  }
  EXPECT_EQ(StageOne(load_weights(vgg16(), {}), {Tap{"block5_pool"}}, options(), session_)
                .run(files_)
                .images.front()
                .status,
            ImageStatus::kCached);
}

TEST_F(StageOneTest, RowsOfAnImageThatIsGoneTooAreAnError) {
  damage();
  fs::remove(files_[2].file);
  EXPECT_THROW(static_cast<void>(stage_one_->features(keys_)), RowsLost);
  std::vector<Sha256> others = keys_;
  others.erase(others.begin() + 2);
  EXPECT_EQ(stage_one_->features(others).rows(), 7U) << "the others were computed";
}

TEST_F(StageOneTest, ATrialSaysTheSpeedAndLeavesTheCacheAsItWas) {
  EXPECT_FALSE(try_extraction(*stage_one_, files_, 0, session_).has_value()) << "eight images are too few";
  std::vector<ImageSource> many;
  for (int copy = 0; copy < 5; ++copy) many.insert(many.end(), files_.begin(), files_.end());
  const std::optional<ExtractionSpeed> speed = try_extraction(*stage_one_, many, 1, session_);
  ASSERT_TRUE(speed.has_value());
  EXPECT_EQ(speed->images, 24U);
  EXPECT_GT(speed->rows_per_second, 1.0);
  EXPECT_GT(speed->bytes, 50'000'000);
  EXPECT_EQ(segments().size(), 1U);
}

TEST_F(StageOneTest, RowsWithoutFilesAreAnError) {
  damage();
  stage_one_->forget_files();
  EXPECT_THROW(static_cast<void>(stage_one_->features(keys_)), RowsLost);
}

}  // namespace
}  // namespace headstart
