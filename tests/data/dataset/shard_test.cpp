// tests/data/dataset/shard_test.cpp
#include "data/dataset/shard.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace headstart {
namespace {

Manifest manifest_of(const std::vector<std::string>& paths) {
  Manifest manifest;
  manifest.classes = {"a", "b"};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    Sample sample;
    sample.path = paths[i];
    sample.label = static_cast<Label>(i % 2);
    manifest.samples.push_back(sample);
  }
  return manifest;
}

TEST(Shard, TheDefaultIsTheWhole) {
  EXPECT_TRUE(Shard{}.is_whole());
  EXPECT_TRUE(Shard{}.holds("birds/a.png"));
  EXPECT_FALSE((Shard{0, 2}.is_whole()));
}

// int.from_bytes(hashlib.sha256(path).digest()[:8], "big") % N in Python: a shard that is run again, by
// whatever version and on whatever machine, must take the same files.
TEST(Shard, GoesByTheDigestOfThePath) {
  struct Case {
    const char* path;
    std::uint64_t of_seven;
    std::uint64_t of_four;
  };
  for (const Case& known :
       {Case{"birds/a.png", 4, 1}, {"fruit/b.jpg", 5, 2}, {"train/x/\xc3\xa4.png", 0, 0}}) {
    for (std::uint64_t index = 0; index < 7; ++index)
      EXPECT_EQ((Shard{index, 7}.holds(known.path)), index == known.of_seven) << known.path << index;
    for (std::uint64_t index = 0; index < 4; ++index)
      EXPECT_EQ((Shard{index, 4}.holds(known.path)), index == known.of_four) << known.path << index;
  }
}

TEST(Shard, KeepsTheClassesAndLabelsOfTheWhole) {
  Manifest manifest = manifest_of({"birds/a.png", "fruit/b.jpg"});
  keep_shard(manifest, {2, 4});
  ASSERT_EQ(manifest.samples.size(), 1U);
  EXPECT_EQ(manifest.samples[0].path, "fruit/b.jpg");
  EXPECT_EQ(manifest.samples[0].label, 1);
  EXPECT_EQ(manifest.classes.size(), 2U);
}

RC_GTEST_PROP(Shard, ShardsAreAPartition, ()) {
  const auto paths = *rc::gen::container<std::vector<std::string>>(rc::gen::arbitrary<std::string>());
  const auto count = *rc::gen::inRange<std::uint64_t>(1, 9);
  const Manifest whole = manifest_of(paths);
  std::vector<Sample> together;
  for (std::uint64_t index = 0; index < count; ++index) {
    Manifest part = whole;
    keep_shard(part, {index, count});
    // In the order of the whole.
    auto at = whole.samples.begin();
    for (const Sample& sample : part.samples) {
      at = std::find(at, whole.samples.end(), sample);
      RC_ASSERT(at != whole.samples.end());
      ++at;
    }
    together.insert(together.end(), part.samples.begin(), part.samples.end());
  }
  RC_ASSERT(together.size() == whole.samples.size());
  RC_ASSERT(std::is_permutation(together.begin(), together.end(), whole.samples.begin()));
}

TEST(Shard, AreAboutAsLarge) {
  std::vector<std::string> paths;
  for (int i = 0; i < 8000; ++i) paths.push_back("class/image_" + std::to_string(i) + ".jpg");
  for (std::uint64_t index = 0; index < 8; ++index) {
    const auto held = std::count_if(paths.begin(), paths.end(), [&](const std::string& path) {
      return Shard{index, 8}.holds(path);
    });
    EXPECT_NEAR(static_cast<double>(held), 1000.0, 150.0) << index;  // five standard deviations of 30
  }
}

}  // namespace
}  // namespace headstart
