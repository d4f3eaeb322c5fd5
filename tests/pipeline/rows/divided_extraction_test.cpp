// tests/pipeline/rows/divided_extraction_test.cpp: processes are threads here.
#include "pipeline/rows/divided_extraction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/head/thread_group.hpp"

namespace headstart {
namespace {

constexpr int kFiles = 7;

std::vector<ImageSource> made_up_files() {
  std::vector<ImageSource> files;
  for (int i = 0; i < kFiles; ++i) files.push_back({.file = std::to_string(i)});
  return files;
}

/// What the process found that had the image of that number, or its view.
ImageStatus found(std::size_t image, std::size_t view) {
  constexpr std::array kKinds{ImageStatus::kExtracted, ImageStatus::kCopy, ImageStatus::kCached};
  return kKinds[(image + view) % kKinds.size()];
}

/// @param now  whether all rows are in the cache by now
ImageResult result_of(std::size_t image, bool now) {
  const auto status = [&](std::size_t view) { return now ? ImageStatus::kCached : found(image, view); };
  ImageResult result;
  result.status = status(0);
  result.views = {status(1), status(2)};
  return result;
}

TEST(DividedExtraction, EveryFileIsInOneShareAndCountsAsWhatItsProcessDid) {
  const std::vector<ImageSource> files = made_up_files();
  for (const int size : {1, 2, 3, 9}) {  // more than there are files, too
    std::atomic<int> shared{0};
    test::run_processes(size, [&](ProcessGroup& group) {
      Extraction own;
      for (const ImageSource& file : share_of(files, group)) {
        own.images.push_back(result_of(static_cast<std::size_t>(std::stoi(file.file.string())), false));
        ++shared;
      }
      own.seconds = 2.0;
      if (!own.images.empty()) own.from_taps["block2_pool"] = own.images.size();
      Extraction all;
      all.seconds = 0.5;
      std::vector<ImageResult> expected;
      for (std::size_t image = 0; image < kFiles; ++image) {
        all.images.push_back(result_of(image, true));
        expected.push_back(result_of(image, false));
      }
      add_computed(own, 2, vgg16(), group, all);
      EXPECT_EQ(all.images, expected);
      EXPECT_EQ(all.from_taps, (RowsOfTaps{{"block2_pool", std::size_t{kFiles}}}));
      EXPECT_EQ(all.seconds, 2.5);
    });
    EXPECT_EQ(shared.load(), kFiles);
  }
}

}  // namespace
}  // namespace headstart
