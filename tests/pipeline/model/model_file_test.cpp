// tests/pipeline/model/model_file_test.cpp: what we write is read with HDF5's plain C API too, since a round
// trip hides a swapped axis. Keras itself reads the file in tests/interop.
#include "pipeline/model/model_file.hpp"

#include <gtest/gtest.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "data/error.hpp"
#include "features/network/weights.hpp"
#include "tests/features/network/vgg16_layers.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

/// A model cut at block1_pool: small, and every value tells where it belongs.
Model small_model() {
  Model model;
  model.tap = Tap{"block1_pool"};
  model.configuration.resize.size = 32;
  model.configuration.resize.mode = ResizeMode::kShorterSide;
  model.configuration.resize.crop_share = 0.875;
  model.configuration.resize.antialias = true;
  model.configuration.ignore_exif = true;
  model.configuration.range = SampleRange{0.5, 99.5, true};
  model.configuration.weights_identity = sha256("some weights");
  model.weights.identity = model.configuration.weights_identity;
  for (std::size_t i = 0; i < 2; ++i) {
    const NetworkLayer& layer = test::vgg16_convolutions()[i];
    auto& weights = model.weights.layers[i];
    weights.kernel.resize(9U * static_cast<std::size_t>(layer.in_channels * layer.out_channels));
    for (std::size_t k = 0; k < weights.kernel.size(); ++k)
      weights.kernel[k] = static_cast<float>(k) + 0.5F * static_cast<float>(i);
    weights.bias.assign(static_cast<std::size_t>(layer.out_channels), static_cast<float>(i + 1));
  }
  const auto inputs = static_cast<Eigen::Index>(tap_shape(vgg16(), model.tap, 32).size());
  Random random(1);
  model.head.layers = {glorot_uniform(inputs, 5, random), glorot_uniform(5, 2, random)};
  model.classes = {"a/b", "ä \"quoted\""};
  TrainingOptions options;
  options.learning_rate = 0.01;
  options.momentum = 0.5;
  options.nesterov = true;
  options.l2 = 1e-3;
  options.label_smoothing = 0.1;
  model.training = {options, 0.75, 3, 0.125};
  return model;
}

/// The same with another representation; an averaged or largest value for each of 64 channels.
Model small_model(const Representation& representation) {
  Model model = small_model();
  model.representation = representation;
  if (representation.transform == Transform::kUnit) model.fitted.transform = Transform::kUnit;
  if (representation.pooling != Pooling::kFlatten) {
    Random random(2);
    model.head.layers.front() = glorot_uniform(64, 5, random);
  }
  return model;
}

void expect_equal(const Model& a, const Model& b) {
  EXPECT_EQ(a.tap, b.tap);
  EXPECT_EQ(a.configuration.fingerprint(), b.configuration.fingerprint());
  EXPECT_EQ(a.configuration.canonical_json(), b.configuration.canonical_json());
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_TRUE(a.head.layers == b.head.layers);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(a.weights.layers[i].kernel, b.weights.layers[i].kernel);
    EXPECT_EQ(a.weights.layers[i].bias, b.weights.layers[i].bias);
  }
  EXPECT_EQ(a.representation, b.representation);
  EXPECT_EQ(a.training.options.l2, b.training.options.l2);
  EXPECT_EQ(a.training.penalty, b.training.penalty);
  EXPECT_EQ(a.training.options.nesterov, b.training.options.nesterov);
  EXPECT_EQ(a.training.temperature, b.training.temperature);
  EXPECT_EQ(a.training.views, b.training.views);
  EXPECT_EQ(a.tuned_from_block, b.tuned_from_block);
  ASSERT_EQ(a.training.split.has_value(), b.training.split.has_value());
  if (a.training.split) {
    EXPECT_EQ(a.training.split->seed, b.training.split->seed);
    EXPECT_EQ(a.training.split->validation, b.training.split->validation);
    EXPECT_EQ(a.training.split->rows, b.training.split->rows);
  }
  EXPECT_EQ(a.fitted.transform, b.fitted.transform);
  EXPECT_EQ(a.fitted.scale, b.fitted.scale);
  EXPECT_EQ(a.fitted.mean, b.fitted.mean);
  EXPECT_EQ(a.fitted.inverse_deviation, b.fitted.inverse_deviation);
}

TEST(ModelFile, ReadsBackWhatItWrote) {
  const test::ScratchFolder scratch;
  const Model model = small_model();
  write_model(model, scratch / "model.h5");
  expect_equal(read_model(scratch / "model.h5"), model);
}

TEST(ModelFile, ReadsBackHowFeaturesAreStored) {
  const test::ScratchFolder scratch;
  Model model = small_model();
  model.configuration.storage = FeatureType::kFloat16;
  write_model(model, scratch / "model.h5");
  expect_equal(read_model(scratch / "model.h5"), model);
  EXPECT_EQ(read_model(scratch / "model.h5").configuration.storage, FeatureType::kFloat16);
}

TEST(ModelFile, ReadsBackWhatFineTuningNeeds) {
  const test::ScratchFolder scratch;
  Model model = small_model();
  model.tuned_from_block = 1;
  model.training.split = SplitRecord{9'000'000'000'000'000U, 0.25, sha256("rows")};
  write_model(model, scratch / "tuned.h5");
  expect_equal(read_model(scratch / "tuned.h5"), model);

  Model standardized = small_model({Pooling::kAverage, Transform::kStandardize});
  Random random(3);
  standardized.fitted = {Transform::kStandardize, 1.0F, glorot_uniform(1, 64, random).kernel.cast<double>(),
                         glorot_uniform(1, 64, random).kernel};
  write_model(standardized, scratch / "standardized.h5");
  expect_equal(read_model(scratch / "standardized.h5"), standardized);

  Model scaled = small_model({Pooling::kMaximum, Transform::kScale});
  scaled.fitted = fit_scale(400.0);
  write_model(scaled, scratch / "scaled.h5");
  expect_equal(read_model(scratch / "scaled.h5"), scaled);

  Model unit = small_model({Pooling::kMaximum, Transform::kUnit});
  write_model(unit, scratch / "unit.h5");
  EXPECT_EQ(read_model(scratch / "unit.h5").fitted.transform, Transform::kUnit);
}

TEST(ModelFile, ATransformOfOtherFeaturesIsRefused) {
  const test::ScratchFolder scratch;
  Model model = small_model({Pooling::kAverage, Transform::kStandardize});
  model.fitted = {Transform::kStandardize, 1.0F, Eigen::RowVectorXd::Zero(63), RowVector::Ones(63)};
  write_model(model, scratch / "model.h5");
  EXPECT_THROW(static_cast<void>(read_model(scratch / "model.h5")), Error);
}

TEST(ModelFile, IsTheSameBytesForTheSameModel) {
  const test::ScratchFolder scratch;
  write_model(small_model(), scratch / "a.h5");
  write_model(small_model(), scratch / "b.h5");
  const std::string bytes = test::read_text(scratch / "a.h5");
  EXPECT_GT(bytes.size(), 100'000U);
  EXPECT_TRUE(bytes == test::read_text(scratch / "b.h5"));
}

TEST(ModelFile, StoresKernelsAsRowColumnInOut) {
  const test::ScratchFolder scratch;
  write_model(small_model(), scratch / "model.h5");
  const hid_t file = H5Fopen((scratch / "model.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  ASSERT_GE(file, 0);
  const hid_t dataset = H5Dopen2(file, "/model_weights/block1_conv2/block1_conv2/kernel:0", H5P_DEFAULT);
  ASSERT_GE(dataset, 0);
  const hid_t space = H5Dget_space(dataset);
  hsize_t extents[4] = {};
  ASSERT_EQ(H5Sget_simple_extent_ndims(space), 4);
  H5Sget_simple_extent_dims(space, extents, nullptr);
  EXPECT_EQ(extents[0], 3U);
  EXPECT_EQ(extents[1], 3U);
  EXPECT_EQ(extents[2], 64U);
  EXPECT_EQ(extents[3], 64U);
  std::vector<float> kernel(9 * 64 * 64);
  H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, kernel.data());
  const std::size_t at = ((2 * 3 + 1) * 64 + 5) * 64 + 7;  // row 2, column 1, input 5, output 7
  EXPECT_EQ(kernel[at], static_cast<float>(at) + 0.5F);
  H5Sclose(space);
  H5Dclose(dataset);
  H5Fclose(file);
}

TEST(ModelFile, ReadsBackEveryRepresentation) {
  const test::ScratchFolder scratch;
  for (const Pooling pooling : {Pooling::kFlatten, Pooling::kAverage, Pooling::kMaximum}) {
    for (const Transform transform :
         {Transform::kNone, Transform::kUnit, Transform::kScale, Transform::kStandardize}) {
      const Model model = small_model({pooling, transform});
      write_model(model, scratch / "model.h5");
      expect_equal(read_model(scratch / "model.h5"), model);
    }
  }
}

/// The layers of the file's Keras configuration.
nlohmann::json configured_layers(const std::filesystem::path& file) {
  const std::string bytes = test::read_text(file);
  const std::size_t begin = bytes.find("{\"class_name\":\"Sequential\"");
  if (begin == std::string::npos) return nullptr;
  const auto json = nlohmann::json::parse(
      bytes.begin() + static_cast<std::ptrdiff_t>(begin),
      bytes.begin() + static_cast<std::ptrdiff_t>(bytes.find('\0', begin)), nullptr, false);
  return json.is_discarded() ? nlohmann::json() : json["config"]["layers"];
}

std::vector<std::string> names_of(const nlohmann::json& layers) {
  std::vector<std::string> names;
  for (const auto& layer : layers) names.push_back(layer["config"]["name"]);
  return names;
}

TEST(ModelFile, ConfiguresTheLayersUpToTheTap) {
  const test::ScratchFolder scratch;
  write_model(small_model(), scratch / "model.h5");
  EXPECT_EQ(names_of(configured_layers(scratch / "model.h5")),
            (std::vector<std::string>{"input_layer", "block1_conv1", "block1_conv2", "block1_pool", "flatten",
                                      "hidden_1", "predictions"}));
}

TEST(ModelFile, ConfiguresPoolingAndUnitAsLayers) {
  const test::ScratchFolder scratch;
  write_model(small_model({Pooling::kAverage, Transform::kUnit}), scratch / "model.h5");
  EXPECT_EQ(names_of(configured_layers(scratch / "model.h5")),
            (std::vector<std::string>{"input_layer", "block1_conv1", "block1_conv2", "block1_pool",
                                      "global_average_pooling2d", "unit_normalization", "hidden_1",
                                      "predictions"}));
}

TEST(ModelFile, LeavesARegularizerOutWhereATransformWasFoldedIn) {
  const test::ScratchFolder scratch;
  for (const Transform transform :
       {Transform::kNone, Transform::kUnit, Transform::kScale, Transform::kStandardize}) {
    write_model(small_model({Pooling::kMaximum, transform}), scratch / "model.h5");
    const auto layers = configured_layers(scratch / "model.h5");
    ASSERT_GE(layers.size(), 2U);
    const bool folded = transform == Transform::kScale || transform == Transform::kStandardize;
    EXPECT_EQ(layers[layers.size() - 2]["config"]["kernel_regularizer"].is_null(), folded)
        << to_string(transform);
    EXPECT_EQ(layers.back()["config"]["kernel_regularizer"]["config"]["l2"], 1e-3);
  }
}

std::string failure(const std::filesystem::path& file) {
  try {
    (void)read_model(file);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ModelFile, ExplainsWhatIsWrongWithAFile) {
  const test::ScratchFolder scratch;
  EXPECT_NE(failure(scratch / "missing.h5").find("missing.h5"), std::string::npos);

  std::ofstream(scratch / "text.h5") << "not HDF5 at all";
  EXPECT_NE(failure(scratch / "text.h5").find("text.h5"), std::string::npos);

  const std::string weights_only =
      failure(std::string(HEADSTART_SOURCE_DIR) + "/models/vgg16_imagenet_notop.h5");
  EXPECT_NE(weights_only.find("headstart/description"), std::string::npos) << weights_only;
}

TEST(ModelFile, RefusesWeightsThatAreNotFinite) {
  const test::ScratchFolder scratch;
  Model model = small_model();
  model.head.layers[1].kernel(0, 0) = std::numeric_limits<float>::quiet_NaN();
  write_model(model, scratch / "nan.h5");
  EXPECT_NE(failure(scratch / "nan.h5").find("predictions"), std::string::npos);
}

/// A model cut at `tap` with the embedded weights, which says so.
Model embedded_model(const NetworkWeights& embedded, const Tap& tap) {
  Model model = small_model({Pooling::kAverage, Transform::kNone});
  model.tap = tap;
  model.weights = embedded;
  model.configuration.weights_identity = model.weights.identity;
  for (std::size_t i = 0; i < test::vgg16_convolutions().size(); ++i) {
    if (test::vgg16_convolutions()[i].block > block_of(vgg16(), tap)) model.weights.layers[i] = {};
  }
  Random random(3);
  model.head.layers.front() = glorot_uniform(tap_shape(vgg16(), tap, 32).channels, 5, random);
  return model;
}

TEST(ModelFile, RefusesWeightsThatAreNotTheEmbeddedOnesAsItClaims) {
  const test::ScratchFolder scratch;
  const auto file = scratch / "model.h5";
  const NetworkWeights embedded = read_keras_weights(
      vgg16(), std::filesystem::path(HEADSTART_SOURCE_DIR "/models/vgg16_imagenet_notop.h5"));
  for (const Tap& tap : {Tap{"block1_pool"}, Tap{"block3_pool"}, Tap{"block5_pool"}}) {
    Model model = embedded_model(embedded, tap);
    write_model(model, file);
    EXPECT_EQ(read_model(file).weights.identity.hex(), kEmbeddedWeightsIdentity) << to_string(tap);
    model.weights.layers[1].kernel[4711] *= 1.001F;
    write_model(model, file);
    EXPECT_NE(failure(file).find("weights are not those that the head was trained on"), std::string::npos)
        << to_string(tap) << ": " << failure(file);
  }
}

// Rows are published under this identity.
TEST(ModelFile, OtherWeightsOfALowerTapHaveAnIdentityOfTheirOwn) {
  const test::ScratchFolder scratch;
  const auto file = scratch / "model.h5";
  Model model = small_model();
  write_model(model, file);
  const Model read = read_model(file);
  EXPECT_EQ(read.weights.identity, weights_identity(vgg16(), model.weights.layers));
  EXPECT_NE(read.weights.identity, read.configuration.weights_identity) << "which the file can't show";
  model.weights.layers[1].bias[7] += 1.0F;
  write_model(model, file);
  EXPECT_NE(read_model(file).weights.identity, read.weights.identity);
}

TEST(ModelFile, RefusesAHeadThatDoesNotFitTheClasses) {
  const test::ScratchFolder scratch;
  Model model = small_model();
  model.classes.emplace_back("one too many");
  write_model(model, scratch / "classes.h5");
  EXPECT_NE(failure(scratch / "classes.h5").find("2 outputs for 3 class names"), std::string::npos);
}

/// A copy of `file` with the first `from` in its description replaced by `to`, which is as long.
std::filesystem::path tampered(const std::filesystem::path& file, const std::string& from,
                               const std::string& to) {
  std::string bytes = test::read_text(file);
  const std::size_t at = bytes.find(from, bytes.find("{\"class_names\""));
  EXPECT_NE(at, std::string::npos) << from;
  EXPECT_EQ(from.size(), to.size());
  if (at != std::string::npos) bytes.replace(at, from.size(), to);
  std::filesystem::path copy = file;
  copy += ".tampered";
  std::ofstream(copy, std::ios::binary | std::ios::trunc) << bytes;
  return copy;
}

TEST(ModelFile, NamesItsNetworkUnlessItIsVgg16) {
  const test::ScratchFolder scratch;
  const auto file = scratch / "model.h5";
  Model model = small_model();
  write_model(model, file);
  EXPECT_EQ(test::read_text(file).find("\"network\""), std::string::npos) << "as before there were two";
  EXPECT_EQ(read_model(file).configuration.network, vgg16());

  model.configuration.network = *find_network("vgg19");
  NetworkWeights weights = empty_weights(model.configuration.network);
  std::copy_n(model.weights.layers.begin(), 2, weights.layers.begin());
  const Sha256 as_vgg16 = read_model(file).weights.identity;
  model.weights = weights;
  write_model(model, file);
  const Model read = read_model(file);
  EXPECT_EQ(read.configuration.network, model.configuration.network);
  EXPECT_EQ(read.weights.network, model.configuration.network);
  EXPECT_EQ(read.weights.layers.size(), 16U);
  EXPECT_NE(read.weights.identity, as_vgg16);
  EXPECT_NE(failure(tampered(file, "vgg19", "vgg99")).find("network 'vgg99'"), std::string::npos);
}

TEST(ModelFile, WithoutAStorageItIsFloat32AndWithAnotherItIsRefused) {
  const test::ScratchFolder scratch;
  const auto file = scratch / "model.h5";
  Model model = small_model();
  model.configuration.storage = FeatureType::kFloat16;
  write_model(model, file);
  EXPECT_EQ(read_model(tampered(file, R"("storage":)", R"("storagf":)")).configuration.storage,
            FeatureType::kFloat32);
  EXPECT_NE(failure(tampered(file, R"("storage":"float16")", R"("storage":"float15")")).find("storage"),
            std::string::npos);
}

TEST(ModelFile, ANumberThatIsNoWholeOneIsNotRounded) {
  const test::ScratchFolder scratch;
  const auto file = scratch / "model.h5";
  Model model = small_model({Pooling::kAverage, Transform::kNone});
  model.configuration.resize.size = 128;
  write_model(model, file);
  EXPECT_NE(
      failure(tampered(file, R"("input_size":128)", R"("input_size":6e1)")).find("60.0 is no whole number"),
      std::string::npos);
}

TEST(ModelFile, RefusesARepresentationThatCannotBe) {
  const test::ScratchFolder scratch;
  const auto file = scratch / "model.h5";
  write_model(small_model({Pooling::kAverage, Transform::kUnit}), file);
  const std::vector<std::array<std::string, 3>> cases{
      {R"("pooling":"avg")", R"("pooling":"avh")", "pooling is 'avh', needed flatten|avg|max"},
      {R"("pooling":"avg")", R"("pooling":12345)", "headstart/description"},
      {R"("pooling":"avg")", R"("poolinh":"avg")", "pooling"},
      {R"("transform":"unit")", R"("transform":"unix")", "transform is 'unix', needed none|unit"},
      {R"("transform":"unit")", R"("transform":[1,22])", "headstart/description"},
      {R"("transform":"unit")", R"("transforn":"unit")", "transform"},
      {R"("penalty":0.125)", R"("penalty":-12.5)", "penalty"},
      {R"("penalty":0.125)", R"("penalty":1e999)", "headstart/description"},
      {R"("penalty":0.125)", R"("penalty":"abc")", "headstart/description"},
  };
  for (const auto& [from, to, mentions] : cases) {
    const std::string error = failure(tampered(file, from, to));
    EXPECT_NE(error.find(mentions), std::string::npos) << to << ": " << error;
  }
  EXPECT_EQ(failure(tampered(file, R"("pooling":"avg")", R"("pooling":"max")")), "no error");

  Model pooled = small_model({Pooling::kAverage, Transform::kNone});
  pooled.representation.pooling = Pooling::kFlatten;  // and a kernel of 64 rows
  write_model(pooled, file);
  EXPECT_NE(failure(file).find("hidden_1 does not take 16384 inputs"), std::string::npos) << failure(file);
}

TEST(ModelFile, ReadsModelsFromBeforeThereWasAChoice) {
  const test::ScratchFolder scratch;
  const Model model = small_model();
  write_model(model, scratch / "model.h5");
  auto file = tampered(scratch / "model.h5", "\"pooling\"", "\"p______\"");
  file = tampered(file, "\"transform\"", "\"t________\"");
  file = tampered(file, "\"penalty\"", "\"p______\"");
  const Model read = read_model(file);
  EXPECT_EQ(read.representation, Representation{});
  EXPECT_EQ(read.training.penalty, l2_penalty(model.head, model.training.options.l2));
  EXPECT_GT(read.training.penalty, 0.0);
}

TEST(ModelFile, NeverCrashesOnATruncatedFile) {
  const test::ScratchFolder scratch;
  write_model(small_model(), scratch / "model.h5");
  const std::string bytes = test::read_text(scratch / "model.h5");
  for (const double share : {0.0, 0.001, 0.1, 0.5, 0.999}) {
    std::ofstream(scratch / "cut.h5", std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(static_cast<double>(bytes.size()) * share));
    EXPECT_NE(failure(scratch / "cut.h5"), "no error") << share;
  }
}

}  // namespace
}  // namespace headstart
