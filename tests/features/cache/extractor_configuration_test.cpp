// tests/features/cache/extractor_configuration_test.cpp
#include "features/cache/extractor_configuration.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "features/network/weights.hpp"

namespace headstart {
namespace {

ExtractorConfiguration default_configuration() {
  ExtractorConfiguration configuration;
  configuration.weights_identity = Sha256::from_hex(kEmbeddedWeightsIdentity).value();
  return configuration;
}

// A change of this test's values means that no cache written before is found again: raise the format version
// instead of changing what a field is called.
TEST(ExtractorConfiguration, TheDefaultIsSpelledInOneWay) {
  EXPECT_EQ(
      default_configuration().canonical_json(),
      R"({"alpha":"white","colour":"grey and CMYK to RGB, 16 bit to its high byte","format_version":1,)"
      R"("input_size":224,"interpolation":"bilinear","network":"vgg16","orientation":"exif","precision":"fp32",)"
      R"("preprocessing":{"channels":"bgr","deviation":[1.0,1.0,1.0],"mean":[103.939,116.779,123.68],"scale":1.0},)"
      R"("resize":"stretch",)"
      R"("weights_identity":"d9a27cc1fc7f975ef8cff49180e794ccd7c4bc868ebb49740803b3bbaa8dbefd"})"
      "\n");
  EXPECT_EQ(default_configuration().fingerprint(),
            sha256(default_configuration().canonical_json()).hex().substr(0, 16));
  EXPECT_EQ(default_configuration().fingerprint(), "bfb9cf00514d10d8");
}

TEST(ExtractorConfiguration, AnotherNetworkIsNamedAndHasAFingerprintOfItsOwn) {
  ExtractorConfiguration other = default_configuration();
  other.network = *find_network("vgg19");
  EXPECT_EQ(other.fingerprint(), "2f1952322a6464df");
  EXPECT_EQ(ExtractorConfiguration::parse(other.canonical_json())->network, other.network);
  EXPECT_EQ(ExtractorConfiguration::parse(default_configuration().canonical_json())->network, vgg16());
}

TEST(ExtractorConfiguration, StorageIsSpelledOutWhereItIsNotFloat32) {
  ExtractorConfiguration halves = default_configuration();
  halves.storage = FeatureType::kFloat16;
  std::string json = default_configuration().canonical_json();
  const std::string before = R"(,"weights_identity")";
  json.insert(json.find(before), R"(,"storage":"float16")");
  EXPECT_EQ(halves.canonical_json(), json);
  EXPECT_EQ(ExtractorConfiguration::parse(json)->storage, FeatureType::kFloat16);
  for (const char* const other : {"float32", "float64", ""}) {
    std::string changed = json;
    changed.replace(changed.find("float16"), 7, other);
    EXPECT_FALSE(ExtractorConfiguration::parse(changed)) << other;
  }
}

TEST(ExtractorConfiguration, ARangeIsSpelledOutWhereThereIsOne) {
  ExtractorConfiguration mapped = default_configuration();
  mapped.range = SampleRange{0, 4095, false};
  std::string json = default_configuration().canonical_json();
  json.insert(json.find(R"(,"resize")"), R"(,"range":"0:4095")");
  EXPECT_EQ(mapped.canonical_json(), json);
  EXPECT_EQ(ExtractorConfiguration::parse(json)->range, mapped.range);
  for (const char* const other : {"0:4095.0", "4095:0", ""}) {
    std::string changed = json;
    changed.replace(changed.find("0:4095"), 6, other);
    EXPECT_FALSE(ExtractorConfiguration::parse(changed)) << other;
  }
}

TEST(ExtractorConfiguration, ACropShareOutOfBoundsIsNotParsed) {
  ExtractorConfiguration cropped = default_configuration();
  cropped.resize = {.mode = ResizeMode::kShorterSide, .crop_share = 0.875, .antialias = true};
  const std::string json = cropped.canonical_json();
  EXPECT_EQ(ExtractorConfiguration::parse(json)->resize, cropped.resize);
  for (const char* const other : {"0.005", "1.5", "-0.5"}) {
    std::string changed = json;
    changed.replace(changed.find("0.875"), 5, other);
    EXPECT_FALSE(ExtractorConfiguration::parse(changed)) << other;
  }
}

TEST(ExtractorConfiguration, EveryFieldChangesTheFingerprint) {
  using Change = std::function<void(ExtractorConfiguration&)>;
  const std::vector<Change> changes{
      [](auto&) {},
      [](auto& c) { c.network = *find_network("vgg19"); },
      [](auto& c) { c.weights_identity.bytes[31] ^= 1U; },
      [](auto& c) { c.preprocessing.order = ChannelOrder::kRgb; },
      [](auto& c) { c.preprocessing.scale = 1.0F / 255.0F; },
      [](auto& c) { c.preprocessing.mean[2] = 123.67F; },
      [](auto& c) { c.preprocessing.deviation[0] = 0.229F; },
      [](auto& c) { c.resize.size = 225; },
      [](auto& c) { c.resize.mode = ResizeMode::kCrop; },
      [](auto& c) { c.resize.mode = ResizeMode::kShorterSide; },
      [](auto& c) { c.resize = {.mode = ResizeMode::kShorterSide, .crop_share = 0.875}; },
      [](auto& c) { c.resize.interpolation = Interpolation::kNearest; },
      [](auto& c) { c.resize.interpolation = Interpolation::kBicubic; },
      [](auto& c) { c.resize.antialias = true; },
      [](auto& c) { c.alpha = Alpha::kDrop; },
      [](auto& c) { c.ignore_exif = true; },
      [](auto& c) {
        c.range = SampleRange{0, 4095, false};
      },
      [](auto& c) {
        c.range = SampleRange{1, 99.5, true};
      },
      [](auto& c) { c.precision = Precision::kFp16; },
      [](auto& c) { c.storage = FeatureType::kFloat16; },
  };
  std::set<std::string> fingerprints;
  for (const Change& change : changes) {
    ExtractorConfiguration configuration = default_configuration();
    change(configuration);
    EXPECT_EQ(configuration.fingerprint().size(), 16U);
    fingerprints.insert(configuration.fingerprint());
    const auto parsed = ExtractorConfiguration::parse(configuration.canonical_json());
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->canonical_json(), configuration.canonical_json());
  }
  EXPECT_EQ(fingerprints.size(), changes.size());
}

TEST(ExtractorConfiguration, WhatNobodyWroteSoIsNotParsed) {
  const std::string json = default_configuration().canonical_json();
  EXPECT_FALSE(ExtractorConfiguration::parse(""));
  EXPECT_FALSE(ExtractorConfiguration::parse("[]"));
  for (std::size_t length = 0; length < json.size(); ++length)
    EXPECT_FALSE(ExtractorConfiguration::parse(std::string_view(json).substr(0, length)));
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"vgg16", "vgg99"},
                                                                                 {":224", ":100000000"},
                                                                                 {"\"white\"", "\"black\""},
                                                                                 {":1,", ":2,"},
                                                                                 {"d9a2", "zzzz"}}) {
    std::string other = json;
    other.replace(other.find(from), from.size(), to);
    EXPECT_FALSE(ExtractorConfiguration::parse(other)) << to;
  }
}

}  // namespace
}  // namespace headstart
