// tests/features/network/weights_test.cpp: the reader of Keras's weights, on the embedded file and on files
// laid out as Keras's versions lay them out, whole and broken.
#include "features/network/weights.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>

#include "data/error.hpp"
#include "features/hdf5/hdf5.hpp"
#include "features/network/all_finite.hpp"
#include "tests/features/hdf5/hdf5_on_disk.hpp"
#include "tests/features/network/keras_config.hpp"
#include "tests/features/network/made_up_weights.hpp"
#include "tests/features/network/vgg16_layers.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::made_up_weights;
using test::ScratchFolder;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// One layer of a file to be written: its weights have names relative to its group.
struct FileLayer {
  struct Dataset {
    std::string name;
    hdf5::Extents extents;
    std::vector<float> values;
  };
  std::string name;
  std::vector<Dataset> datasets;
};

std::vector<FileLayer> convolution_layers(const std::function<std::string(std::size_t)>& layer_name) {
  std::vector<FileLayer> layers;
  for (std::size_t i = 0; i < test::vgg16_convolutions().size(); ++i) {
    const auto in = static_cast<std::uint64_t>(test::vgg16_convolutions()[i].in_channels);
    const auto out = static_cast<std::uint64_t>(test::vgg16_convolutions()[i].out_channels);
    const std::string name = layer_name(i);
    layers.push_back({name,
                      {{name + "/kernel:0", {3, 3, in, out}, made_up_weights().layers[i].kernel},
                       {name + "/bias:0", {out}, made_up_weights().layers[i].bias}}});
  }
  return layers;
}

std::vector<FileLayer> keras_layers() {
  return convolution_layers([](std::size_t i) { return std::string(test::vgg16_convolutions()[i].name); });
}

/// With the pools between them, as Keras lists them.
std::vector<FileLayer> numbered_layers() {
  std::vector<FileLayer> layers;
  const auto named = [](std::size_t i) { return "conv2d_" + std::to_string(i); };
  for (FileLayer& layer : convolution_layers(named)) {
    layers.push_back(std::move(layer));
    const std::size_t i =
        layers.size() - 1 -
        static_cast<std::size_t>(std::count_if(layers.begin(), layers.end(),
                                               [](const FileLayer& l) { return l.datasets.empty(); }));
    if (test::ends_block(i)) layers.push_back({"max_pooling2d_" + std::to_string(i), {}});
  }
  return layers;
}

/// Attributes of the root: {name, text}.
using Attributes = std::vector<std::pair<std::string, std::string>>;

/// A legacy .h5 file in memory. @param group  "" for the root, else e.g. "model_weights"
std::vector<std::byte> file_of(const std::vector<FileLayer>& layers, const std::string& group = "",
                               const Attributes& attributes = {}) {
  const hdf5::File file = hdf5::create_in_memory();
  for (const auto& [name, text] : attributes) hdf5::write_variable_string(file.id(), name, text);
  std::optional<hdf5::Group> below;
  if (!group.empty()) below.emplace(hdf5::create_group(file.id(), group));
  const hid_t root = below ? below->id() : file.id();
  std::vector<std::string> layer_names;
  for (const FileLayer& layer : layers) {
    layer_names.push_back(layer.name);
    const hdf5::Group outer = hdf5::create_group(root, layer.name);
    std::vector<std::string> weight_names;
    for (const FileLayer::Dataset& dataset : layer.datasets) {
      weight_names.push_back(dataset.name);
      const std::string inner = dataset.name.substr(0, dataset.name.rfind('/'));
      if (inner != dataset.name && !hdf5::exists(outer.id(), inner))
        (void)hdf5::create_group(outer.id(), inner);
      hdf5::write<float>(outer.id(), dataset.name, dataset.extents, dataset.values);
    }
    hdf5::write_strings(outer.id(), "weight_names", weight_names);
  }
  hdf5::write_strings(root, "layer_names", layer_names);
  return hdf5::file_image(file);
}

Sha256 identity_of(const std::vector<FileLayer>& layers, const std::string& group = "") {
  return read_keras_weights(vgg16(), file_of(layers, group), "made up").identity;
}

/// What reading says about a file with these layers.
std::string refusal_of(const std::vector<FileLayer>& layers) {
  try {
    (void)read_keras_weights(vgg16(), file_of(layers), "made-up.h5");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

std::string refusal_of_file(const std::filesystem::path& file) {
  try {
    (void)read_keras_weights(vgg16(), file);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

TEST(Weights, TheEmbeddedFileHasItsIdentity) {
  const NetworkWeights weights =
      read_keras_weights(vgg16(), test::source_path("models/vgg16_imagenet_notop.h5"));
  EXPECT_EQ(weights.identity.hex(), kEmbeddedWeightsIdentity);
  EXPECT_EQ(weights.preprocessing, kCaffePreprocessing);
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const auto in = static_cast<std::size_t>(test::vgg16_convolutions()[i].in_channels);
    const auto out = static_cast<std::size_t>(test::vgg16_convolutions()[i].out_channels);
    EXPECT_EQ(weights.layers[i].kernel.size(), 9 * in * out);
    EXPECT_EQ(weights.layers[i].bias.size(), out);
    EXPECT_GT(std::count_if(weights.layers[i].kernel.begin(), weights.layers[i].kernel.end(),
                            [](float value) { return value != 0.0F; }),
              static_cast<std::ptrdiff_t>(8 * in * out));
  }
}

TEST(Weights, TheEmbeddedFilesLowerLayersHaveTheirIdentities) {
  auto layers = read_keras_weights(vgg16(), test::source_path("models/vgg16_imagenet_notop.h5")).layers;
  for (std::size_t block = kEmbeddedIdentitiesUpToBlock.size(); block > 0; --block) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (std::cmp_greater(test::vgg16_convolutions()[i].block, block)) layers[i] = {};
    }
    EXPECT_EQ(weights_identity(vgg16(), layers).hex(), kEmbeddedIdentitiesUpToBlock[block - 1]) << block;
  }
}

TEST(Weights, AFileImageGivesWhatTheFileGives) {
  const std::string path = test::source_path("models/vgg16_imagenet_notop.h5");
  std::vector<char> bytes(std::filesystem::file_size(path));
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_EQ(read_keras_weights(vgg16(), std::as_bytes(std::span(bytes)), "embedded").identity.hex(),
            kEmbeddedWeightsIdentity);
}

TEST(Weights, IdentityDependsOnValuesAndTheirOrder) {
  auto layers = made_up_weights().layers;
  EXPECT_EQ(weights_identity(vgg16(), layers), made_up_weights().identity);
  std::swap(layers[12].kernel[0], layers[12].kernel[1]);
  EXPECT_NE(weights_identity(vgg16(), layers), made_up_weights().identity);
}

TEST(Weights, LayersAreFoundByKerassNamesInAnyOrder) {
  std::vector<FileLayer> layers = keras_layers();
  std::swap(layers[11], layers[12]);  // the same shape: only the name can tell
  EXPECT_EQ(identity_of(layers), made_up_weights().identity);
}

TEST(Weights, LayersWithOtherNamesAreTakenInOrder) {
  EXPECT_EQ(identity_of(numbered_layers()), made_up_weights().identity);
}

TEST(Weights, ThirteenFittingKernelsAreNotEnough) {
  std::vector<FileLayer> layers = keras_layers();
  const std::vector<float> ones(64, 1.0F);
  layers.insert(layers.begin() + 1,
                {"block1_bn1", {{"block1_bn1/gamma:0", {64}, ones}, {"block1_bn1/beta:0", {64}, ones}}});
  EXPECT_THAT(refusal_of(layers), AllOf(HasSubstr("block1_bn1"), HasSubstr("looks like vgg16_bn")));
  layers = numbered_layers();
  layers[2].name = "average_pooling2d";
  EXPECT_THAT(refusal_of(layers), HasSubstr("block1_conv2 is followed by 'average_pooling2d'"));
}

std::string refusal_of_model(const nlohmann::json& model,
                             const std::vector<FileLayer>& layers = keras_layers()) {
  try {
    (void)read_keras_weights(vgg16(), file_of(layers, "model_weights", {{"model_config", model.dump()}}),
                             "made-up.h5");
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("made-up.h5"));
    return error.what();
  }
  return "accepted";
}

TEST(Weights, TheModelsConfigDecides) {
  std::vector<nlohmann::json> layers = test::vgg16_layers();
  EXPECT_EQ(refusal_of_model(test::sequential(layers)), "accepted");
  layers.insert(layers.begin() + 1, test::keras_layer("BatchNormalization", "bn"));
  EXPECT_THAT(refusal_of_model(test::sequential(layers)), HasSubstr("looks like vgg16_bn"));
  layers = test::vgg16_layers();
  layers[2]["class_name"] = "AveragePooling2D";
  EXPECT_THAT(refusal_of_model(test::functional(layers)), HasSubstr("AveragePooling2D"));
  layers = test::vgg16_layers();
  std::swap(layers[0]["config"]["name"], layers[1]["config"]["name"]);  // of the kernels that the file has
  EXPECT_THAT(refusal_of_model(test::sequential(layers)), HasSubstr("needed 3x3x3x64"));
  EXPECT_THAT(refusal_of_model(nlohmann::json("no model")), HasSubstr("its model_config has no layers"));
}

TEST(Weights, TheConfigsOrderIsTaken) {
  std::vector<nlohmann::json> layers = test::vgg16_layers();
  std::vector<FileLayer> stored = keras_layers();
  const std::size_t first = test::place_of(layers, "block5_conv1");
  std::swap(layers[first]["config"]["name"], layers[first + 2]["config"]["name"]);
  const NetworkWeights weights = read_keras_weights(
      vgg16(), file_of(stored, "", {{"model_config", test::sequential(layers).dump()}}), "made up");
  EXPECT_EQ(weights.layers[10].kernel, made_up_weights().layers[12].kernel);
  EXPECT_EQ(weights.layers[12].bias, made_up_weights().layers[10].bias);
}

TEST(Weights, AModelInsideWithAHeadOfConvolutionsIsRead) {
  FileLayer vgg16{"vgg16", {}};
  for (const FileLayer& layer : keras_layers())
    vgg16.datasets.insert(vgg16.datasets.end(), layer.datasets.begin(), layer.datasets.end());
  const FileLayer head{"head", {{"head/kernel:0", {1, 1, 512, 2}, std::vector<float>(1024)}}};
  const nlohmann::json model = test::functional(
      {test::functional(test::vgg16_layers(), 3, "vgg16"), test::keras_layer("Conv2D", "head")}, 3);
  EXPECT_EQ(refusal_of_model(model, {vgg16, head}), "accepted");
  EXPECT_EQ(identity_of({vgg16, head}), made_up_weights().identity);
}

TEST(Weights, TheLayersBeforeTellThePreprocessing) {
  std::vector<nlohmann::json> layers = test::vgg16_layers();
  layers.insert(layers.begin(), test::keras_layer("Rescaling", "r", {{"scale", 1 / 127.5}, {"offset", -1}}));
  std::vector<FileLayer> stored = keras_layers();
  const auto preprocessing_with = [&](Attributes attributes) {
    attributes.emplace_back("model_config", test::sequential(layers).dump());
    return read_keras_weights(vgg16(), file_of(stored, "", attributes), "made up").preprocessing;
  };
  const Preprocessing rescaled{ChannelOrder::kRgb, 1.0F / 127.5F, {1, 1, 1}, {1, 1, 1}};
  EXPECT_EQ(preprocessing_with({}), rescaled);
  EXPECT_EQ(preprocessing_with({{"headstart.preprocessing", "torchvision"}}), kTorchvisionPreprocessing);
  layers.front() = test::keras_layer("Normalization", "n");
  stored.insert(
      stored.begin(),
      {"n", {{"mean:0", {3}, {0, 127, 254}}, {"variance:0", {3}, {4, 4, 4}}, {"count:0", {}, {9}}}});
  EXPECT_EQ(preprocessing_with({}), (Preprocessing{ChannelOrder::kRgb, 0.5F, {0, 63.5, 127}, {1, 1, 1}}));
  layers.front() = test::keras_layer("Lambda", "swap");
  EXPECT_THAT(refusal_of_model(test::sequential(layers)),
              AllOf(HasSubstr("Lambda 'swap'"), HasSubstr("headstart.preprocessing")));
}

TEST(Weights, TheFirstLayersValuesTellThePreprocessingToo) {
  std::vector<FileLayer> layers = keras_layers();
  const NetworkWeights embedded =
      read_keras_weights(vgg16(), test::source_path("models/vgg16_imagenet_notop.h5"));
  std::vector<float>& kernel = layers[0].datasets[0].values;
  for (std::size_t i = 0; i < kernel.size(); ++i)  // RGB for BGR
    kernel[i] = embedded.layers[0].kernel[i / 192 * 192 + (2 - i / 64 % 3) * 64 + i % 64];
  EXPECT_EQ(read_keras_weights(vgg16(), file_of(layers), "made up").preprocessing, kCaffeRgbPreprocessing);
}

TEST(Weights, NamesInPartsAreRead) {
  const hdf5::File file = hdf5::create_in_memory();
  const std::vector<FileLayer> layers = keras_layers();
  std::vector<std::string> names;
  for (const FileLayer& layer : layers) {
    names.push_back(layer.name);
    const hdf5::Group outer = hdf5::create_group(file.id(), layer.name);
    const hdf5::Group inner = hdf5::create_group(outer.id(), layer.name);
    for (std::size_t part = 0; part < 2; ++part) {
      const FileLayer::Dataset& dataset = layer.datasets[part];
      hdf5::write<float>(outer.id(), dataset.name, dataset.extents, dataset.values);
      hdf5::write_strings(outer.id(), "weight_names" + std::to_string(part), {dataset.name});
    }
  }
  hdf5::write_strings(file.id(), "layer_names0", {names.begin(), names.begin() + 5});
  hdf5::write_strings(file.id(), "layer_names1", {names.begin() + 5, names.end()});
  EXPECT_EQ(read_keras_weights(vgg16(), hdf5::file_image(file), "made up").identity,
            made_up_weights().identity);
}

TEST(Weights, IntegersAreRefused) {
  const std::vector<std::byte> image = file_of(keras_layers());
  const hdf5::File file = hdf5::open_image(image);
  EXPECT_TRUE(hdf5::holds_floats(file.id(), "block1_conv1/block1_conv1/bias:0"));
  const hdf5::File other = hdf5::create_in_memory();
  std::vector<std::string> names;
  for (const NetworkLayer& layer : test::vgg16_convolutions()) {
    names.emplace_back(layer.name);
    const auto in = static_cast<std::uint64_t>(layer.in_channels);
    const auto out = static_cast<std::uint64_t>(layer.out_channels);
    const hdf5::Group group = hdf5::create_group(other.id(), names.back());
    hdf5::write<std::uint8_t>(group.id(), "kernel:0", {3, 3, in, out},
                              std::vector<std::uint8_t>(9 * in * out));
    hdf5::write<float>(group.id(), "bias:0", {out}, std::vector<float>(out));
    hdf5::write_strings(group.id(), "weight_names", {"kernel:0", "bias:0"});
  }
  hdf5::write_strings(other.id(), "layer_names", names);
  try {
    (void)read_keras_weights(vgg16(), hdf5::file_image(other), "quantised.h5");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("block1_conv1 kernel holds integers"));
  }
}

TEST(Weights, ASavedModelWithPoolsAndDenseLayersIsRead) {
  std::vector<FileLayer> layers = keras_layers();
  layers.insert(layers.begin(), {"input_1", {}});
  layers.insert(layers.begin() + 3, {"block1_pool", {}});
  layers.push_back(
      {"fc1", {{"fc1/kernel:0", {4, 2}, std::vector<float>(8)}, {"fc1/bias:0", {2}, {0.0F, 0.0F}}}});
  EXPECT_EQ(identity_of(layers, "model_weights"), made_up_weights().identity);
}

TEST(Weights, AModelInsideAModelIsOneLayerWithAllTheWeights) {
  FileLayer vgg16{"vgg16", {}};
  for (const FileLayer& layer : keras_layers()) {
    vgg16.datasets.insert(vgg16.datasets.end(), layer.datasets.begin(), layer.datasets.end());
  }
  EXPECT_EQ(identity_of({{"input", {}}, vgg16, {"flatten", {}}}, "model_weights"),
            made_up_weights().identity);
}

TEST(Weights, Keras1NamesWithoutAGroupOfTheirOwnAreRead) {
  std::vector<FileLayer> layers = keras_layers();
  for (FileLayer& layer : layers) {
    layer.datasets[0].name = layer.name + "_W_1:0";
    layer.datasets[1].name = layer.name + "_b_1:0";
  }
  EXPECT_EQ(identity_of(layers), made_up_weights().identity);
}

TEST(Weights, AKernelOfAnotherShapeIsNamedWithBothShapes) {
  std::vector<FileLayer> layers = keras_layers();
  layers[5].datasets[0].extents = {3, 3, 256, 128};
  layers[5].datasets[0].values.resize(std::size_t{9} * 256 * 128);
  EXPECT_THAT(refusal_of(layers),
              AllOf(HasSubstr("made-up.h5"), HasSubstr("block3_conv2 kernel is 3x3x256x128"),
                    HasSubstr("needed 3x3x256x256")));
}

TEST(Weights, ABiasOfAnotherShapeIsNamed) {
  std::vector<FileLayer> layers = keras_layers();
  layers[0].datasets[1] = {"block1_conv1/bias:0", {63}, std::vector<float>(63)};
  EXPECT_THAT(refusal_of(layers), HasSubstr("block1_conv1 bias is 63, needed 64"));
}

TEST(Weights, AMissingBiasIsNamed) {
  std::vector<FileLayer> layers = keras_layers();
  layers[7].datasets.pop_back();
  EXPECT_THAT(refusal_of(layers), HasSubstr("block4_conv1 has no bias"));
}

TEST(Weights, TheanosOrderIsRecognised) {
  std::vector<FileLayer> layers = keras_layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    hdf5::Extents& extents = layers[i].datasets[0].extents;
    extents = {extents[3], extents[2], 3, 3};
  }
  EXPECT_THAT(refusal_of(layers),
              AllOf(HasSubstr("block1_conv1"), HasSubstr("64x3x3x3"), HasSubstr("Theano")));
}

TEST(Weights, ValuesThatAreNotFiniteAreRefusedNamingTheLayer) {
  std::vector<FileLayer> layers = keras_layers();
  layers[12].datasets[0].values.back() = std::nanf("");
  EXPECT_THAT(refusal_of(layers), HasSubstr("block5_conv3 kernel"));
  layers[2].datasets[1].values.front() = -std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal_of(layers), HasSubstr("block2_conv1 bias"));
}

TEST(Weights, Vgg19IsRefusedThoughItHasAllOfVgg16sNames) {
  std::vector<FileLayer> layers = keras_layers();
  for (const char* const name : {"block3_conv4", "block4_conv4", "block5_conv4"}) {
    layers.push_back({name, {{"kernel:0", {3, 3, 1, 1}, std::vector<float>(9)}, {"bias:0", {1}, {0.0F}}}});
  }
  EXPECT_THAT(refusal_of(layers), AllOf(HasSubstr("16 convolutions"), HasSubstr("VGG16 has 13")));
}

TEST(Weights, ListedThingsThatAreMissingAreNamed) {
  const hdf5::File file = hdf5::create_in_memory();
  hdf5::write_strings(file.id(), "layer_names", {"block1_conv1"});
  const std::vector<std::byte> without_layer = hdf5::file_image(file);
  EXPECT_THROW((void)read_keras_weights(vgg16(), without_layer, "x"), Error);
  const hdf5::Group group = hdf5::create_group(file.id(), "block1_conv1");
  hdf5::write_strings(group.id(), "weight_names", {"kernel:0"});
  const std::vector<std::byte> without_kernel = hdf5::file_image(file);
  try {
    (void)read_keras_weights(vgg16(), without_kernel, "x");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/block1_conv1/kernel:0: is missing"));
  }
}

TEST(Weights, OtherFormatsOfKerasAreToldApart) {
  const ScratchFolder scratch;
  std::ofstream(scratch / "model.keras") << "PK\x03\x04 and so on";
  EXPECT_THAT(refusal_of_file(scratch / "model.keras"),
              AllOf(HasSubstr(".keras archive"), HasSubstr("model.save(")));
  {
    const hdf5::File file = test::made_on_disk(scratch / "model.weights.h5");
    (void)hdf5::create_group(file.id(), "layers");
  }
  EXPECT_THAT(refusal_of_file(scratch / "model.weights.h5"),
              AllOf(HasSubstr(".weights.h5"), HasSubstr("model.save(")));
  { (void)test::made_on_disk(scratch / "other.h5"); }
  EXPECT_THAT(refusal_of_file(scratch / "other.h5"), HasSubstr("layer_names"));
  std::ofstream(scratch / "text.h5") << "not HDF5 at all";
  EXPECT_THAT(refusal_of_file(scratch / "text.h5"), HasSubstr("it does not start as HDF5 files do"));
  EXPECT_THAT(refusal_of_file(scratch / "missing.h5"), HasSubstr("does not exist"));
  EXPECT_THAT(refusal_of_file(scratch.path()), HasSubstr("not a regular file"));
}

/// A file without values: zeros of the right shapes that were never written, in a few kilobytes.
void write_empty_weights(const std::filesystem::path& path, hid_t creation) {
  const hdf5::File file = test::made_on_disk(path);
  std::vector<std::string> layer_names;
  for (const NetworkLayer& layer : test::vgg16_convolutions()) {
    layer_names.emplace_back(layer.name);
    const hdf5::Group group = hdf5::create_group(file.id(), layer_names.back());
    hdf5::write_strings(group.id(), "weight_names", {"kernel", "bias"});
    const auto out = static_cast<hsize_t>(layer.out_channels);
    const std::array<hsize_t, 4> kernel{3, 3, static_cast<hsize_t>(layer.in_channels), out};
    const auto add = [&](const char* name, const hsize_t* extents, int rank, hid_t properties) {
      const hdf5::Space space{H5Screate_simple(rank, extents, nullptr)};
      const hdf5::Dataset dataset{
          H5Dcreate2(group.id(), name, H5T_IEEE_F32LE, space.id(), H5P_DEFAULT, properties, H5P_DEFAULT)};
      ASSERT_GE(dataset.id(), 0);
    };
    add("kernel", kernel.data(), 4, creation);
    add("bias", &out, 1, H5P_DEFAULT);
  }
  hdf5::write_strings(file.id(), "layer_names", layer_names);
}

TEST(Weights, DamageAtAnyByteOfAFileIsAnErrorOrHarmless) {
  const ScratchFolder scratch;
  write_empty_weights(scratch / "intact.h5", H5P_DEFAULT);
  ASSERT_FALSE(read_keras_weights(vgg16(), scratch / "intact.h5").layers[12].kernel.empty());
  std::ifstream stream(scratch / "intact.h5", std::ios::binary);
  const std::string intact((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  std::uint32_t state = 1;
  std::size_t refused = 0;
  constexpr std::size_t kTrials = 60;
  for (std::size_t trial = 0; trial < kTrials; ++trial) {
    std::string damaged = intact;
    for (int i = 0; i < 40; ++i) {
      state = state * 1664525U + 1013904223U;
      damaged[(state >> 8U) % damaged.size()] = static_cast<char>(state >> 3U);
    }
    std::ofstream(scratch / "damaged.h5", std::ios::binary) << damaged;
    try {
      (void)read_keras_weights(vgg16(), scratch / "damaged.h5");
    } catch (const Error& error) {
      ++refused;
      EXPECT_THAT(error.what(), HasSubstr((scratch / "damaged.h5").string()));
    }
  }
  EXPECT_GT(refused, kTrials / 2);
}

TEST(AllFinite, KnowsEveryValueThatIsNot) {
  std::vector<float> values(100, std::numeric_limits<float>::max());
  values[3] = -std::numeric_limits<float>::max();
  EXPECT_TRUE(all_finite(values));
  EXPECT_TRUE(all_finite({}));
  for (const float bad :
       {std::nanf(""), -std::nanf("1"), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::signaling_NaN()}) {
    for (const std::size_t at : {0U, 50U, 99U}) {
      std::vector<float> spoilt = values;
      spoilt[at] = bad;
      EXPECT_FALSE(all_finite(spoilt));
    }
  }
}

}  // namespace
}  // namespace headstart
