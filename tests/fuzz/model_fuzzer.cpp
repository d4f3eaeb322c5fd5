// tests/fuzz/model_fuzzer.cpp: a well-formed HDF5 file that says anything, given to the reader of model.h5,
// ends as a model that writes back to itself, or as one line of error.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "features/network/all_finite.hpp"
#include "pipeline/model/model_file.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/hdf5_recipe.hpp"
#include "tests/fuzz/named_file.hpp"

namespace {

using headstart::Model;
using headstart::fuzz::expect;
using headstart::fuzz::Hdf5Object;
using headstart::fuzz::NamedFile;
using enum Hdf5Object::Kind;

constexpr std::uint64_t kChannels = 64;  // of block1_pool, pooled

/// The text of a description, with some of it replaced.
std::string spoilt(std::string text, FuzzedDataProvider& data) {
  for (int edits = data.ConsumeIntegralInRange(0, 3); edits > 0; --edits)
    text.replace(data.ConsumeIntegralInRange<std::size_t>(0, text.size()),
                 data.ConsumeIntegralInRange<std::size_t>(0, 40), data.ConsumeRandomLengthString(40));
  return text;
}

std::string description(std::string_view transform) {
  return R"({"class_names":["cats","dogs"],"tap":"block1_pool","pooling":"avg","transform":")" +
         std::string(transform) +
         R"(","preprocessing":{"channels":"bgr","scale":1.0,"mean":[103.9,116.8,123.7],"deviation":[1.0,1.0,1.0]},)"
         R"("input_size":32,"resize":"stretch","interpolation":"bilinear","alpha":"white","ignore_exif":false,)"
         R"("precision":"fp32","storage":"float32","weights_identity":")" +
         std::string(64, 'a') +
         R"(","temperature":1.0,"tuned_from_block":0,"training":{"learning_rate":0.01,"momentum":0.9,)"
         R"("nesterov":false,"l2":0.0001,"label_smoothing":0.0,"views":0,"penalty":0.5,"split":{"seed":1,)"
         R"("validation":0.2,"rows_sha256":")" +
         std::string(64, 'b') + R"("}}})";
}

std::vector<Hdf5Object> model_objects(FuzzedDataProvider& data) {
  const std::string transform = data.PickValueInArray<std::string>({"none", "unit", "scale", "standardize"});
  const std::string text = spoilt(description(transform), data);
  std::vector<Hdf5Object> objects{
      {kGroup, "/", "headstart", {}, {}},
      {kAttribute, "/headstart", "format_version", {}, std::vector<std::int32_t>{1}},
      {kDataset,
       "/headstart",
       "description",
       {text.size()},
       std::vector<std::uint8_t>(text.begin(), text.end())},
      {kGroup, "/", "model_weights", {}, {}}};
  const auto add = [&](const std::string& layer, const headstart::hdf5::Extents& kernel,
                       Hdf5Object::Values values) {
    const std::string folder = "/model_weights/" + layer;
    objects.push_back({kGroup, "/model_weights", layer, {}, {}});
    objects.push_back({kGroup, folder, layer, {}, {}});
    objects.push_back({kDataset, folder + "/" + layer, "kernel:0", kernel, std::move(values)});
    objects.push_back({kDataset, folder + "/" + layer, "bias:0", {kernel.back()}, {}});
  };
  add("block1_conv1", {3, 3, 3, 64}, {});
  add("block1_conv2", {3, 3, 64, 64}, {});
  if (data.ConsumeBool()) {
    add("hidden_1", {kChannels, 3}, std::vector<float>(3 * kChannels, 0.5F));
    add("predictions", {3, 2}, std::vector<float>(6, 0.25F));
  } else {
    add("predictions", {kChannels, 2}, std::vector<float>(2 * kChannels, 0.25F));
  }
  if (transform == "scale")
    objects.push_back({kDataset, "/headstart", "transform_scale", {1}, std::vector<float>{2.0F}});
  if (transform == "standardize") {
    objects.push_back({kDataset, "/headstart", "transform_mean", {kChannels}, {}});
    objects.push_back({kDataset,
                       "/headstart",
                       "transform_inverse_deviation",
                       {kChannels},
                       std::vector<float>(kChannels, 1.0F)});
  }
  return objects;
}

void check(const Model& model) {
  const auto finite = [](const auto& matrix) {
    return headstart::all_finite({matrix.data(), static_cast<std::size_t>(matrix.size())});
  };
  expect(!model.head.layers.empty(), "a head has a layer");
  for (std::size_t i = 0; i < model.head.layers.size(); ++i) {
    const headstart::Dense& layer = model.head.layers[i];
    expect(layer.kernel.cols() == layer.bias.size(), "a bias fits its kernel");
    expect(i == 0 || layer.kernel.rows() == model.head.layers[i - 1].bias.size(), "layers fit each other");
    expect(finite(layer.kernel) && finite(layer.bias), "a head is finite");
  }
  expect(static_cast<std::size_t>(model.head.layers.back().bias.size()) == model.classes.size(),
         "a class has an output");
  const headstart::Network& network = model.weights.network;
  const std::vector<headstart::NetworkLayer> layers = headstart::convolutions(network);
  for (std::size_t i = 0; i < headstart::first_convolution(network, model.tap); ++i) {
    const headstart::NetworkLayer& layer = layers[i];
    expect(model.weights.layers[i].kernel.size() ==
                   static_cast<std::size_t>(9 * layer.in_channels * layer.out_channels) &&
               headstart::all_finite(model.weights.layers[i].kernel),
           "a convolution is whole");
  }
  const NamedFile file("written-model");
  headstart::write_model(model, file.path());
  const Model again = headstart::read_model(file.path());
  expect(again.classes == model.classes && again.tap == model.tap && again.head.layers == model.head.layers &&
             again.representation == model.representation &&
             again.weights.identity == model.weights.identity &&
             again.configuration.fingerprint() == model.configuration.fingerprint(),
         "a model reads back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider provider(data, size);
  const std::vector<Hdf5Object> objects = model_objects(provider);
  const std::vector<std::byte> bytes = headstart::fuzz::hdf5_file_of(objects, provider);
  const NamedFile file("model", bytes);
  try {
    check(headstart::read_model(file.path()));
  } catch (const headstart::Error& error) {
    expect(error.what() == headstart::printable(error.what()), "an error is one line");
  }
  return 0;
}
