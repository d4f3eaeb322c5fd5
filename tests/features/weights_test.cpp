// tests/features/weights_test.cpp: the reader of Keras's weights, on the embedded file and on files laid out
// as Keras's versions lay them out, whole and broken.
#include "features/weights.hpp"

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
#include "features/all_finite.hpp"
#include "features/hdf5.hpp"
#include "tests/features/made_up_weights.hpp"
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
  for (std::size_t i = 0; i < kVgg16Convolutions.size(); ++i) {
    const auto in = static_cast<std::uint64_t>(kVgg16Convolutions[i].in_channels);
    const auto out = static_cast<std::uint64_t>(kVgg16Convolutions[i].out_channels);
    const std::string name = layer_name(i);
    layers.push_back({name,
                      {{name + "/kernel:0", {3, 3, in, out}, made_up_weights().layers[i].kernel},
                       {name + "/bias:0", {out}, made_up_weights().layers[i].bias}}});
  }
  return layers;
}

std::vector<FileLayer> keras_layers() {
  return convolution_layers([](std::size_t i) { return std::string(kVgg16Convolutions[i].name); });
}

/// A legacy .h5 file in memory. @param group  "" for the root, else e.g. "model_weights"
std::vector<std::byte> file_of(const std::vector<FileLayer>& layers, const std::string& group = "") {
  const hdf5::File file = hdf5::create_in_memory();
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
  return read_keras_weights(file_of(layers, group), "made up").identity;
}

/// What reading says about a file with these layers.
std::string refusal_of(const std::vector<FileLayer>& layers) {
  try {
    (void)read_keras_weights(file_of(layers), "made-up.h5");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

std::string refusal_of_file(const std::filesystem::path& file) {
  try {
    (void)read_keras_weights(file);
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no Error was thrown";
  return {};
}

TEST(Weights, TheEmbeddedFileHasItsIdentity) {
  const Vgg16Weights weights = read_keras_weights(test::source_path("models/vgg16_imagenet_notop.h5"));
  EXPECT_EQ(weights.identity.hex(), kEmbeddedWeightsIdentity);
  EXPECT_EQ(weights.preprocessing, kCaffePreprocessing);
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const auto in = static_cast<std::size_t>(kVgg16Convolutions[i].in_channels);
    const auto out = static_cast<std::size_t>(kVgg16Convolutions[i].out_channels);
    EXPECT_EQ(weights.layers[i].kernel.size(), 9 * in * out);
    EXPECT_EQ(weights.layers[i].bias.size(), out);
    EXPECT_GT(std::count_if(weights.layers[i].kernel.begin(), weights.layers[i].kernel.end(),
                            [](float value) { return value != 0.0F; }),
              static_cast<std::ptrdiff_t>(8 * in * out));
  }
}

TEST(Weights, TheEmbeddedFilesLowerLayersHaveTheirIdentities) {
  auto layers = read_keras_weights(test::source_path("models/vgg16_imagenet_notop.h5")).layers;
  for (std::size_t block = kEmbeddedIdentitiesUpToBlock.size(); block > 0; --block) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (std::cmp_greater(kVgg16Convolutions[i].block, block)) layers[i] = {};
    }
    EXPECT_EQ(weights_identity(layers).hex(), kEmbeddedIdentitiesUpToBlock[block - 1]) << block;
  }
}

TEST(Weights, AFileImageGivesWhatTheFileGives) {
  const std::string path = test::source_path("models/vgg16_imagenet_notop.h5");
  std::vector<char> bytes(std::filesystem::file_size(path));
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  EXPECT_EQ(read_keras_weights(std::as_bytes(std::span(bytes)), "embedded").identity.hex(),
            kEmbeddedWeightsIdentity);
}

TEST(Weights, IdentityDependsOnValuesAndTheirOrder) {
  auto layers = made_up_weights().layers;
  EXPECT_EQ(weights_identity(layers), made_up_weights().identity);
  std::swap(layers[12].kernel[0], layers[12].kernel[1]);
  EXPECT_NE(weights_identity(layers), made_up_weights().identity);
}

TEST(Weights, LayersAreFoundByKerassNamesInAnyOrder) {
  std::vector<FileLayer> layers = keras_layers();
  std::swap(layers[11], layers[12]);  // the same shape: only the name can tell
  EXPECT_EQ(identity_of(layers), made_up_weights().identity);
}

TEST(Weights, LayersWithOtherNamesAreTakenInOrder) {
  const auto named = [](std::size_t i) { return "conv2d_" + std::to_string(i); };
  EXPECT_EQ(identity_of(convolution_layers(named)), made_up_weights().identity);
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
  EXPECT_THROW((void)read_keras_weights(without_layer, "x"), Error);
  const hdf5::Group group = hdf5::create_group(file.id(), "block1_conv1");
  hdf5::write_strings(group.id(), "weight_names", {"kernel:0"});
  const std::vector<std::byte> without_kernel = hdf5::file_image(file);
  try {
    (void)read_keras_weights(without_kernel, "x");
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
    const hdf5::File file = hdf5::create_file(scratch / "model.weights.h5");
    (void)hdf5::create_group(file.id(), "layers");
  }
  EXPECT_THAT(refusal_of_file(scratch / "model.weights.h5"),
              AllOf(HasSubstr(".weights.h5"), HasSubstr("model.save(")));
  { (void)hdf5::create_file(scratch / "other.h5"); }
  EXPECT_THAT(refusal_of_file(scratch / "other.h5"), HasSubstr("layer_names"));
  std::ofstream(scratch / "text.h5") << "not HDF5 at all";
  EXPECT_THAT(refusal_of_file(scratch / "text.h5"), HasSubstr("it does not start as HDF5 files do"));
  EXPECT_THAT(refusal_of_file(scratch / "missing.h5"), HasSubstr("does not exist"));
  EXPECT_THAT(refusal_of_file(scratch.path()), HasSubstr("not a regular file"));
}

/// A file without values: zeros of the right shapes that were never written, in a few kilobytes.
void write_empty_weights(const std::filesystem::path& path, hid_t creation) {
  const hdf5::File file = hdf5::create_file(path);
  std::vector<std::string> layer_names;
  for (const ConvolutionLayer& layer : kVgg16Convolutions) {
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
  ASSERT_FALSE(read_keras_weights(scratch / "intact.h5").layers[12].kernel.empty());
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
      (void)read_keras_weights(scratch / "damaged.h5");
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
