// tests/features/network/safetensors_weights_test.cpp: VGG16 under torchvision's names, whole and broken.
#include "features/network/safetensors_weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "data/error.hpp"
#include "tests/features/network/mutations.hpp"
#include "tests/features/network/safetensors_file.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::float32_entry;
using test::made_up_weights;
using test::safetensors_file;
using test::SafetensorsEntry;
using test::torchvision_entries;
using ::testing::AllOf;
using ::testing::HasSubstr;

NetworkWeights read(const std::vector<SafetensorsEntry>& entries, const std::string& metadata = "") {
  return read_safetensors_weights(vgg16(), safetensors_file(entries, metadata), "made-up.safetensors");
}

std::string refusal_of(const std::vector<SafetensorsEntry>& entries) {
  try {
    (void)read(entries);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    EXPECT_THAT(error.what(), HasSubstr("made-up.safetensors"));
    return error.what();
  }
  return "accepted";
}

SafetensorsEntry& entry_of(std::vector<SafetensorsEntry>& entries, const std::string& name) {
  return *std::find_if(entries.begin(), entries.end(),
                       [&](const SafetensorsEntry& entry) { return entry.name == name; });
}

std::vector<SafetensorsEntry> made_up_entries(const std::string& prefix = "features.") {
  return torchvision_entries(made_up_weights().layers, prefix);
}

/// A header alone: names, types and shapes.
SafetensorsFile header_of(const std::string& prefix = "features.") {
  SafetensorsFile file;
  for (const SafetensorsEntry& entry : torchvision_entries(empty_weights(vgg16()).layers, prefix))
    file.tensors[entry.name] = {entry.type, entry.shape, {}};
  return file;
}

/// What searching such a file, and checking the shapes, says.
std::string refusal_of(const SafetensorsFile& file) {
  try {
    check_convolutions(find_convolutions(file, {vgg16(), "made-up.safetensors"}),
                       {vgg16(), "made-up.safetensors"});
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("made-up.safetensors"));
    return error.what();
  }
  return "accepted";
}

TEST(SafetensorsWeights, TheEmbeddedWeightsAreTheSameInThisFormat) {
  const NetworkWeights embedded =
      read_keras_weights(vgg16(), test::source_path("models/vgg16_imagenet_notop.h5"));
  const NetworkWeights weights = read(torchvision_entries(embedded.layers));
  EXPECT_EQ(weights.identity.hex(), kEmbeddedWeightsIdentity);
  EXPECT_EQ(weights.preprocessing, kCaffePreprocessing);  // as their values tell, against their names
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    EXPECT_EQ(weights.layers[i].kernel, embedded.layers[i].kernel);
    EXPECT_EQ(weights.layers[i].bias, embedded.layers[i].bias);
  }
}

TEST(SafetensorsWeights, OtherValuesUnderTorchvisionsNamesWantItsInput) {
  const NetworkWeights weights = read(made_up_entries(), R"({"format":"pt"})");
  EXPECT_EQ(weights.identity, made_up_weights().identity);
  EXPECT_EQ(weights.preprocessing, kTorchvisionPreprocessing);
  EXPECT_EQ(weights.format, "safetensors");
}

TEST(SafetensorsWeights, TheFilesMetadataOverrides) {
  EXPECT_EQ(read(made_up_entries(), R"({"headstart.preprocessing":"caffe-rgb"})").preprocessing,
            kCaffeRgbPreprocessing);
}

TEST(SafetensorsWeights, AnyPrefixWillDo) {
  for (const std::string prefix :
       {"features.", "model.features.", "module.vgg.features.", "", "backbone.", "module.encoder.", "0."}) {
    const SafetensorsFile file = header_of(prefix);
    const StoredConvolutions found = find_convolutions(file, {vgg16(), "made up"});
    EXPECT_EQ(found[0].kernel.name, prefix + "0.weight");
    EXPECT_EQ(found[12].bias.value().name, prefix + "28.bias");
  }
}

TEST(SafetensorsWeights, TheClassifierIsIgnoredWhateverItsTypeAndValues) {
  std::vector<SafetensorsEntry> entries = made_up_entries();
  const std::vector<float> nan{std::numeric_limits<float>::quiet_NaN()};  // as in IMAGENET1K_FEATURES
  entries.push_back(float32_entry("classifier.0.weight", {1, 1}, nan));
  entries.push_back({"classifier.0.bias", "I64", {1}, std::vector<std::byte>(8)});
  entries.push_back(float32_entry("pre_logits.fc1.weight", {1, 1, 1, 1}, nan));  // timm's is a convolution
  EXPECT_EQ(read(entries).identity, made_up_weights().identity);
}

TEST(SafetensorsWeights, Float64OfTheSameValuesIsTheSame) {
  std::vector<SafetensorsEntry> entries = made_up_entries();
  SafetensorsEntry& entry = entry_of(entries, "features.2.weight");
  const std::vector<float> floats = decode_floats(FloatType::kFloat32, entry.values);
  const std::vector<double> doubles(floats.begin(), floats.end());
  const auto bytes = std::as_bytes(std::span(doubles));
  entry.type = "F64";
  entry.values.assign(bytes.begin(), bytes.end());
  EXPECT_EQ(read(entries).identity, made_up_weights().identity);
}

TEST(SafetensorsWeights, Bfloat16IsReadToItsPrecision) {
  std::vector<SafetensorsEntry> entries = made_up_entries();
  SafetensorsEntry& entry = entry_of(entries, "features.28.bias");
  const std::vector<float> floats = decode_floats(FloatType::kFloat32, entry.values);
  std::vector<std::uint16_t> halves;
  for (const float value : floats)
    halves.push_back(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16U));
  const auto bytes = std::as_bytes(std::span(halves));
  entry.type = "BF16";
  entry.values.assign(bytes.begin(), bytes.end());
  const NetworkWeights weights = read(entries);
  EXPECT_NE(weights.identity, made_up_weights().identity);
  for (std::size_t i = 0; i < floats.size(); ++i)
    EXPECT_NEAR(weights.layers[12].bias[i], floats[i], 0.004F) << i;
}

TEST(SafetensorsWeights, AMissingTensorIsNamedWithItsLayer) {
  SafetensorsFile file = header_of();
  file.tensors.erase("features.17.bias");
  EXPECT_THAT(refusal_of(file), HasSubstr("features.17.bias, the bias of block4_conv1, is missing"));
  file.tensors.erase("features.12.weight");
  EXPECT_THAT(refusal_of(file), HasSubstr("features.12.weight, the kernel of block3_conv2, is missing"));
  EXPECT_THAT(refusal_of(SafetensorsFile{}), HasSubstr("no tensor features.0.weight"));
}

TEST(SafetensorsWeights, AnotherShapeIsNamedWithBoth) {
  SafetensorsFile file = header_of();
  file.tensors["features.12.weight"].shape = {256, 256, 9, 1};
  EXPECT_THAT(refusal_of(file),
              HasSubstr("block3_conv2 kernel (features.12.weight) is 256x256x9x1, needed 256x256x3x3"));
  file = header_of();
  file.tensors["features.0.bias"].shape = {8, 8};
  EXPECT_THAT(refusal_of(file), HasSubstr("block1_conv1 bias (features.0.bias) is 8x8, needed 64"));
  file.tensors["features.0.bias"].shape = {};
  EXPECT_THAT(refusal_of(file), HasSubstr("block1_conv1 bias (features.0.bias) is a scalar, needed 64"));
  file.tensors["features.0.bias"].shape = {1, 2, 3, 4, 5, 6, 7};
  EXPECT_THAT(refusal_of(file), HasSubstr("is 1x2x3x4x5x6x... (7 dimensions), needed 64"));
}

TEST(SafetensorsWeights, IntegersAreRefused) {
  SafetensorsFile file = header_of();
  file.tensors["features.5.bias"].type = "I32";
  EXPECT_THAT(refusal_of(file), HasSubstr("features.5.bias, the bias of block2_conv1, is I32, needed F32"));
}

TEST(SafetensorsWeights, ValuesThatAreNotFiniteAreRefusedNamingTheLayer) {
  test::NetworkLayers layers = made_up_weights().layers;
  layers[9].kernel[1234] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal_of(torchvision_entries(layers)), HasSubstr("block4_conv3 kernel has values"));
}

TEST(SafetensorsWeights, Vgg16WithBatchNormalisationIsRecognised) {
  // Modules as torchvision numbers them: a convolution, its normalisation, a ReLU.
  std::vector<SafetensorsEntry> entries;
  const std::vector<float> ones(64, 1.0F);
  for (const int module : {0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40}) {
    entries.push_back(float32_entry("features." + std::to_string(module) + ".weight", {4, 1, 4, 4}, ones));
    entries.push_back(float32_entry("features." + std::to_string(module + 1) + ".running_mean", {64}, ones));
  }
  EXPECT_THAT(refusal_of(entries),
              AllOf(HasSubstr("looks like vgg16_bn"), HasSubstr("13 convolutions with batch normalisation")));
}

TEST(SafetensorsWeights, OtherMembersOfTheFamilyAreRecognised) {
  const std::vector<float> ones(16, 1.0F);
  const auto with_modules = [&](const std::vector<int>& modules) {
    std::vector<SafetensorsEntry> entries;
    for (const int module : modules)
      entries.push_back(float32_entry("features." + std::to_string(module) + ".weight", {1, 1, 4, 4}, ones));
    return entries;
  };
  EXPECT_THAT(refusal_of(with_modules({0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34})),
              AllOf(HasSubstr("looks like vgg19:"), HasSubstr("16 convolutions, VGG16 has 13")));
  EXPECT_THAT(refusal_of(with_modules({0, 3, 6, 8, 11, 13, 16, 18})), HasSubstr("looks like vgg11:"));
}

TEST(SafetensorsWeights, TwoNetworksInOneFileAreNotChosenBetween) {
  std::vector<SafetensorsEntry> entries = made_up_entries("student.");
  std::vector<SafetensorsEntry> teacher = made_up_entries("teacher.features.");
  entries.insert(entries.end(), teacher.begin(), teacher.end());
  EXPECT_EQ(read(entries).identity, made_up_weights().identity);  // one network under two names
  entry_of(entries, "teacher.features.28.bias").values[0] ^= std::byte{1};
  EXPECT_THAT(refusal_of(entries),
              AllOf(HasSubstr("student.0.weight"), HasSubstr("teacher.features.0.weight")));
}

TEST(SafetensorsWeights, WhatIsNoVgg16BesideItIsIgnored) {
  SafetensorsFile file = header_of("backbone.");
  file.tensors["teacher.features.0.weight"] = {"F32", {64, 3, 3, 3}, {}};
  file.tensors["decoder.0.weight"] = {"F32", {256, 512, 3, 3}, {}};
  file.tensors["classifier.0.weight"] = {"F32", {4096, 25088}, {}};
  EXPECT_EQ(find_convolutions(file, {vgg16(), "made up"})[0].kernel.name, "backbone.0.weight");
  for (const char* const name : {"layer1.0.weight", "layer2.0.weight"})
    file.tensors[name] = {"F32", {64, 64, 1, 1}, {}};
  file.tensors.erase("backbone.28.weight");
  EXPECT_THAT(refusal_of(file), HasSubstr("teacher.features."));
  file.tensors.erase("teacher.features.0.weight");
  EXPECT_THAT(refusal_of(file), HasSubstr("no tensor features.0.weight"));
}

StoredConvolutions find_in_safetensors(std::span<const std::byte> bytes) {
  const SafetensorsFile file = parse_safetensors(bytes);
  StoredConvolutions found = find_convolutions(file, {vgg16(), "made up"});
  check_convolutions(found, {vgg16(), "made up"});
  return found;
}

TEST(SafetensorsWeights, TruncatedAnywhereTheFileIsRefused) {
  test::expect_no_truncation_is_accepted(safetensors_file(made_up_entries()), find_in_safetensors);
}

TEST(SafetensorsWeights, NoBitOfTheHeaderGivesOtherWeights) {
  test::expect_no_flip_gives_other_weights(safetensors_file(made_up_entries(), R"({"format":"pt"})"),
                                           find_in_safetensors);
}

TEST(SafetensorsWeights, NoiseInTheHeaderIsSurvived) {
  test::expect_noise_is_survived(safetensors_file(made_up_entries()), find_in_safetensors);
}

}  // namespace
}  // namespace headstart
