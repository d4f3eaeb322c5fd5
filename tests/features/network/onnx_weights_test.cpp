// tests/features/network/onnx_weights_test.cpp: VGG16 in ONNX models, as exporters write it, and in models
// that are no VGG16.
#include "features/network/onnx_weights.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "data/error.hpp"
#include "tests/features/network/mutations.hpp"
#include "tests/features/network/onnx_file.hpp"
#include "tests/features/network/vgg16_layers.hpp"
#include "tests/support/golden.hpp"

namespace headstart {
namespace {

using test::keras_model;
using test::made_up_weights;
using test::node_of;
using test::NodeToWrite;
using test::onnx_file;
using test::OnnxModel;
using test::torch_model;
using ::testing::AllOf;
using ::testing::HasSubstr;

NetworkWeights read(const OnnxModel& model) {
  return read_onnx_weights(vgg16(), onnx_file(model), "made-up.onnx");
}

std::string refusal_of(const OnnxModel& model) {
  try {
    (void)read(model);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    EXPECT_THAT(error.what(), HasSubstr("made-up.onnx"));
    return error.what();
  }
  return "accepted";
}

OnnxModel made_up_torch() { return torch_model(made_up_weights().layers); }
OnnxModel made_up_keras() { return keras_model(made_up_weights().layers); }
OnnxModel torch_graph() { return torch_model(empty_weights(vgg16()).layers); }
OnnxModel keras_graph() { return keras_model(empty_weights(vgg16()).layers); }

/// What is found in a model, without asking for values. Names and values lie in `bytes`.
struct Found {
  std::vector<std::byte> bytes;
  StoredConvolutions convolutions;
};

Found found_in(const OnnxModel& model) {
  Found found{onnx_file(model), {}};
  found.convolutions = find_convolutions(parse_onnx(found.bytes), {vgg16(), "made-up.onnx"});
  return found;
}

test::TensorToWrite& tensor_of(OnnxModel& model, const std::string& name) {
  return *std::find_if(model.tensors.begin(), model.tensors.end(),
                       [&](const test::TensorToWrite& tensor) { return tensor.name == name; });
}

test::AttributeToWrite& attribute_of(NodeToWrite& node, const std::string& name) {
  return *std::find_if(node.attributes.begin(), node.attributes.end(),
                       [&](const test::AttributeToWrite& attribute) { return attribute.name == name; });
}

/// Puts a node between `node` and whatever takes its first output.
void insert_behind(OnnxModel& model, const std::string& node, NodeToWrite inserted) {
  const auto place = std::find_if(model.nodes.begin(), model.nodes.end(),
                                  [&](const NodeToWrite& candidate) { return candidate.name == node; });
  inserted.inputs.insert(inserted.inputs.begin(), place->outputs.front() + " before");
  inserted.outputs = {place->outputs.front()};
  place->outputs.front() += " before";
  model.nodes.insert(place + 1, std::move(inserted));
}

TEST(OnnxWeights, TheEmbeddedWeightsAreTheSameInThisFormat) {
  const NetworkWeights embedded =
      read_keras_weights(vgg16(), test::source_path("models/vgg16_imagenet_notop.h5"));
  for (const OnnxModel& model : {torch_model(embedded.layers), keras_model(embedded.layers)}) {
    const NetworkWeights weights = read(model);
    EXPECT_EQ(weights.identity.hex(), kEmbeddedWeightsIdentity) << model.producer;
    EXPECT_EQ(weights.preprocessing, kCaffePreprocessing) << model.producer;
    for (std::size_t i = 0; i < weights.layers.size(); ++i) {
      EXPECT_EQ(weights.layers[i].kernel, embedded.layers[i].kernel);
      EXPECT_EQ(weights.layers[i].bias, embedded.layers[i].bias);
    }
  }
}

TEST(OnnxWeights, NamesOrTheProducerTellThePreprocessing) {
  const auto origin = [](const OnnxModel& model) {
    const std::vector<std::byte> bytes = onnx_file(model);
    return origin_of(parse_onnx(bytes));
  };
  OnnxModel torch = torch_graph();
  EXPECT_EQ(origin(torch), WeightsOrigin::kTorchvision);
  torch.producer = "a simplifier";  // the names are left
  EXPECT_EQ(origin(torch), WeightsOrigin::kTorchvision);
  OnnxModel keras = keras_graph();
  EXPECT_EQ(origin(keras), WeightsOrigin::kKeras);
  keras.producer = "";
  EXPECT_EQ(origin(keras), WeightsOrigin::kKeras);
  for (OnnxModel* const model : {&torch, &keras}) {
    for (NodeToWrite& node : model->nodes) {
      if (node.operation == "Conv") node.inputs[1] = "nameless";
    }
  }
  EXPECT_EQ(origin(torch), WeightsOrigin::kUnknown);
  torch.producer = "pytorch";  // which makes up names where it folds batch normalisation
  EXPECT_EQ(origin(torch), WeightsOrigin::kTorchvision);
  for (const char* const producer : {"tf2onnx", "keras2onnx"}) {
    keras.producer = producer;
    EXPECT_EQ(origin(keras), WeightsOrigin::kKeras) << producer;
  }
}

TEST(OnnxWeights, TheOriginDecidesWhereValuesDoNot) {
  const NetworkWeights weights = read(made_up_torch());
  EXPECT_EQ(weights.preprocessing, kTorchvisionPreprocessing);
  EXPECT_EQ(weights.format, "ONNX, by pytorch");
}

TEST(OnnxWeights, WithoutNamesAndProducerTheMetadataHasToTell) {
  OnnxModel model = made_up_torch();
  model.producer = "";
  tensor_of(model, "features.0.weight").name = "w0";
  node_of(model, "c0").inputs[1] = "w0";
  EXPECT_THAT(refusal_of(model), HasSubstr("headstart.preprocessing"));
  model.metadata["headstart.preprocessing"] = "caffe-rgb";
  EXPECT_EQ(read(model).preprocessing, kCaffeRgbPreprocessing);
}

/// Puts nodes between the model's input and its first convolution. @param operations  each with the constants
/// that follow what it takes
Preprocessing preprocessing_behind(const std::vector<std::pair<std::string, std::vector<float>>>& operations,
                                   const std::vector<NodeToWrite>& others = {}) {
  OnnxModel model = made_up_torch();
  const std::string input = model.nodes.front().inputs[0];
  std::vector<NodeToWrite> before;
  std::string value = input;
  for (const auto& [operation, constant] : operations) {
    const std::string number = std::to_string(before.size());
    std::vector<std::int64_t> extents{1, static_cast<std::int64_t>(constant.size()), 1, 1};
    model.tensors.push_back(test::float_tensor("before " + number, extents, constant));
    before.push_back({operation, "n" + number, {value, "before " + number}, {"value " + number}, {}, ""});
    value = "value " + number;
  }
  for (NodeToWrite node : others) {
    node.inputs.insert(node.inputs.begin(), value);
    value = "other " + node.name;
    node.outputs = {value};
    before.push_back(node);
  }
  model.nodes.front().inputs[0] = value;
  model.nodes.insert(model.nodes.begin(), before.begin(), before.end());
  return read(model).preprocessing;
}

TEST(OnnxWeights, TheNodesBeforeTellThePreprocessing) {
  EXPECT_EQ(preprocessing_behind({{"Add", {-123.68F, -116.779F, -103.939F}}}), kCaffePreprocessing);
  EXPECT_EQ(preprocessing_behind({{"Sub", {123, 117, 104}}}), kCaffeRgbPreprocessing);
  EXPECT_EQ(preprocessing_behind({{"Sub", {0.485F, 0.456F, 0.406F}}, {"Div", {0.229F, 0.224F, 0.225F}}}),
            kTorchvisionPreprocessing);
  EXPECT_EQ(preprocessing_behind({{"Mul", {1 / 127.5F}}, {"Sub", {1}}}),
            (Preprocessing{ChannelOrder::kRgb, 1.0F / 127.5F, {1, 1, 1}, {1, 1, 1}}));
  const NodeToWrite cast{"Cast", "c", {}, {}, {}, ""};
  EXPECT_EQ(preprocessing_behind({}, {cast}), kTorchvisionPreprocessing);  // as the file comes from PyTorch
  const NodeToWrite strange{"Tanh", "t", {}, {}, {}, ""};
  EXPECT_THROW((void)preprocessing_behind({}, {strange}), Error);
}

TEST(OnnxWeights, KernelsThatNodesTransposeAndAddedBiasesAreRead) {
  EXPECT_EQ(read(made_up_keras()).identity, made_up_weights().identity);
}

TEST(OnnxWeights, TransposesOfAKernelAddUp) {
  OnnxModel model = keras_graph();
  // What was HWIO becomes IOHW, then OIHW.
  NodeToWrite& turn = node_of(model, "block2_conv1/turn");
  attribute_of(turn, "perm").integers = {2, 3, 0, 1};
  insert_behind(model, "block2_conv1/turn",
                {"Transpose", "t", {}, {}, {{"perm", {1, 0, 2, 3}, {}, "", {}}}, ""});
  EXPECT_EQ(found_in(model).convolutions[2].axes, (KernelAxes{3, 2, 0, 1}));
  // The same in turns that don't commute: to WIOH, then to OIHW.
  attribute_of(node_of(model, "block2_conv1/turn"), "perm").integers = {1, 2, 3, 0};
  attribute_of(node_of(model, "t"), "perm").integers = {2, 1, 3, 0};
  EXPECT_EQ(found_in(model).convolutions[2].axes, (KernelAxes{3, 2, 0, 1}));
}

TEST(OnnxWeights, ConstantsMayBeNodesAndBehindIdentities) {
  OnnxModel model = torch_graph();
  test::TensorToWrite tensor = tensor_of(model, "features.2.bias");
  std::erase_if(model.tensors, [](const auto& candidate) { return candidate.name == "features.2.bias"; });
  model.nodes.insert(model.nodes.begin(),
                     {{"Constant", "k", {}, {"constant"}, {{"value", {}, {}, "", tensor}}, ""},
                      {"Identity", "i", {"constant"}, {"features.2.bias"}, {}, ""}});
  const Found found = found_in(model);
  EXPECT_EQ(found.convolutions[1].bias.value().name, "features.2.bias");
}

TEST(OnnxWeights, OneTensorMayServeTwoLayers) {
  OnnxModel model = torch_graph();  // torch.onnx.export merges equal constants
  node_of(model, "c12").inputs[2] = "features.26.bias";
  const Found found = found_in(model);
  EXPECT_EQ(found.convolutions[12].bias.value().name, "features.26.bias");
}

TEST(OnnxWeights, ListsOfFloatsAndDoublesAreReadLikeRawData) {
  OnnxModel model = torch_graph();
  tensor_of(model, "features.0.weight").values = "1234";
  tensor_of(model, "features.0.weight").values_field = 4;
  tensor_of(model, "features.2.weight").values = "12345678";
  tensor_of(model, "features.2.weight").values_field = 10;
  tensor_of(model, "features.2.weight").type = 11;
  const Found found = found_in(model);
  EXPECT_EQ(found.convolutions[0].kernel.bytes.size(), 4U);
  EXPECT_EQ(found.convolutions[0].kernel.type, FloatType::kFloat32);
  EXPECT_EQ(found.convolutions[1].kernel.bytes.size(), 8U);
  EXPECT_EQ(found.convolutions[1].kernel.type, FloatType::kFloat64);
}

TEST(OnnxWeights, AClassifierAndConvolutionsOfOtherSizesAreIgnored) {
  OnnxModel model = torch_graph();  // with timm's head: its first layer is a convolution of 7x7
  model.tensors.push_back(test::float_tensor("head", {1, 1, 7, 7}, std::vector<float>(49)));
  model.nodes.push_back({"Conv", "head", {"pool12", "head"}, {"headed"}, {}, ""});
  model.nodes.push_back({"Softmax", "probabilities", {"headed"}, {"output"}, {}, ""});
  const Found found = found_in(model);
  EXPECT_EQ(found.convolutions[12].kernel.name, "features.28.weight");
}

TEST(OnnxWeights, ValuesInAnotherFileAreRefused) {
  OnnxModel model = torch_graph();
  tensor_of(model, "features.24.weight").external = true;
  EXPECT_THAT(refusal_of(model),
              AllOf(HasSubstr("block5_conv1 kernel (features.24.weight) are in another file"),
                    HasSubstr("docs/weights.md")));
}

TEST(OnnxWeights, AnotherShapeIsNamedWithBoth) {
  OnnxModel model = torch_graph();
  tensor_of(model, "features.21.weight").extents = {256, 1024, 3, 3};
  EXPECT_THAT(refusal_of(model),
              HasSubstr("block4_conv3 kernel (features.21.weight) is 256x1024x3x3, needed 512x512x3x3"));
  model = keras_graph();
  tensor_of(model, "block2_conv1/kernel").extents = {3, 3, 128, 64};
  EXPECT_THAT(refusal_of(model), HasSubstr("is 3x3x128x64, needed 3x3x64x128"));
  model = torch_graph();
  tensor_of(model, "features.21.bias").extents = {2, 256};
  EXPECT_THAT(refusal_of(model), HasSubstr("block4_conv3 bias (features.21.bias) is 2x256, needed 512"));
}

TEST(OnnxWeights, ShapeAndBytesHaveToAgree) {
  EXPECT_THAT(refusal_of(torch_graph()),
              HasSubstr("block1_conv1 kernel (features.0.weight) is 64x3x3x3, but has 0 bytes"));
  OnnxModel model = made_up_torch();
  tensor_of(model, "features.21.bias").values.pop_back();
  EXPECT_THAT(refusal_of(model),
              HasSubstr("block4_conv3 bias (features.21.bias) is 512, but has 2047 bytes"));
}

TEST(OnnxWeights, ValuesThatAreNotFiniteAreRefusedNamingTheLayer) {
  test::NetworkLayers layers = made_up_weights().layers;
  layers[4].bias[7] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(refusal_of(torch_model(layers)), HasSubstr("block3_conv1 bias has values"));
}

TEST(OnnxWeights, TypesThatAreNoFloatsAreRefused) {
  OnnxModel model = torch_graph();
  tensor_of(model, "features.5.bias").type = 6;  // int32
  EXPECT_THAT(refusal_of(model), HasSubstr("block2_conv1 bias (features.5.bias) is of ONNX's type 6"));
  model = torch_graph();
  tensor_of(model, "features.5.bias").values_field = 5;
  EXPECT_THAT(refusal_of(model), HasSubstr("features.5.bias) are not its raw data"));
}

TEST(OnnxWeights, MissingWeightsAreNamed) {
  OnnxModel model = torch_graph();
  std::erase_if(model.tensors, [](const auto& tensor) { return tensor.name == "features.7.weight"; });
  EXPECT_THAT(refusal_of(model),
              HasSubstr("the kernel of convolution 'c3', 'features.7.weight', is not in the file"));
  model = torch_graph();
  std::erase_if(model.tensors, [](const auto& tensor) { return tensor.name == "features.7.bias"; });
  EXPECT_THAT(refusal_of(model),
              HasSubstr("the bias of block2_conv2, 'features.7.bias', is not in the file"));
  model = torch_graph();
  node_of(model, "c3").inputs.pop_back();
  EXPECT_THAT(refusal_of(model), HasSubstr("block2_conv2 has no bias"));
}

TEST(OnnxWeights, TheLastLayersBiasIsMissedToo) {
  OnnxModel model = torch_graph();
  node_of(model, "c12").inputs.pop_back();
  EXPECT_THAT(refusal_of(model), HasSubstr("block5_conv3 has no bias"));
  model = keras_graph();
  node_of(model, "a12").operation = "Mul";
  EXPECT_THAT(refusal_of(model), HasSubstr("block5_conv3 is not followed by Relu"));
}

TEST(OnnxWeights, WithoutAnyBiasTheyAreZero) {
  // torch.onnx.export of a network that was never trained.
  test::NetworkLayers layers = made_up_weights().layers;
  OnnxModel model = torch_model(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    layers[i].bias.assign(layers[i].bias.size(), 0.0F);
    node_of(model, fmt::format("c{}", i)).inputs.pop_back();
  }
  EXPECT_EQ(read(model).identity, weights_identity(vgg16(), layers));
}

TEST(OnnxWeights, QuantisedModelsAreRefusedSayingWhy) {
  OnnxModel model = torch_graph();
  model.nodes.insert(model.nodes.begin(), {"DequantizeLinear", "d", {"q", "s"}, {"dequantised"}, {}, ""});
  node_of(model, "c4").inputs[1] = "dequantised";
  EXPECT_THAT(refusal_of(model), HasSubstr("'dequantised', is computed by DequantizeLinear"));
  model = torch_graph();
  for (NodeToWrite& node : model.nodes) {
    if (node.operation == "Conv") node.operation = "QLinearConv";
  }
  EXPECT_THAT(refusal_of(model), AllOf(HasSubstr("0 convolutions of 3x3"), HasSubstr("QLinearConv")));
}

TEST(OnnxWeights, Vgg19IsRecognised) {
  OnnxModel model = torch_graph();
  for (int i = 0; i < 3; ++i) {
    const std::string name = fmt::format("more{}", i);
    model.nodes.push_back(
        {"Conv", name, {"pool12", "features.28.weight", "features.28.bias"}, {name}, {}, ""});
  }
  EXPECT_THAT(refusal_of(model), AllOf(HasSubstr("16 convolutions"), HasSubstr("VGG19")));
}

TEST(OnnxWeights, WhatLiesBetweenTheConvolutionsIsChecked) {
  OnnxModel model = torch_graph();
  insert_behind(model, "c5", {"BatchNormalization", "b", {}, {}, {}, ""});
  EXPECT_THAT(refusal_of(model),
              AllOf(HasSubstr("block3_conv2 is followed by BatchNormalization"), HasSubstr("vgg16_bn")));
  model = torch_graph();
  node_of(model, "r5").operation = "Sigmoid";
  EXPECT_THAT(refusal_of(model), HasSubstr("block3_conv2 is followed by Sigmoid"));
  model = torch_graph();
  node_of(model, "r5").operation = "Identity";
  EXPECT_THAT(refusal_of(model), HasSubstr("block3_conv2 is not followed by Relu"));
  model = torch_graph();
  node_of(model, "r12").operation = "Sigmoid";
  EXPECT_THAT(refusal_of(model), HasSubstr("block5_conv3 is not followed by Relu"));
  model = torch_graph();
  node_of(model, "p3").operation = "Identity";
  EXPECT_THAT(refusal_of(model), HasSubstr("block2_conv2 is not followed by MaxPool"));
  model = torch_graph();
  insert_behind(model, "r4", {"MaxPool", "p", {}, {}, node_of(model, "p3").attributes, ""});
  EXPECT_THAT(refusal_of(model), HasSubstr("block3_conv1 is followed by MaxPool"));
  model = torch_graph();
  insert_behind(model, "r4", {"Relu", "r", {}, {}, {}, "other.domain"});
  EXPECT_THAT(refusal_of(model), HasSubstr("block3_conv1 is followed by Relu"));
  model = torch_graph();
  node_of(model, "c7").inputs[0] = "relu5";
  EXPECT_THAT(refusal_of(model), HasSubstr("block4_conv1 does not follow block3_conv3"));
  model = torch_graph();
  node_of(model, "c7").inputs[0] = "input";
  EXPECT_THAT(refusal_of(model), HasSubstr("block4_conv1 does not follow block3_conv3"));
}

TEST(OnnxWeights, AddsBetweenTheConvolutionsAreBiasesOrRefused) {
  OnnxModel model = keras_graph();
  node_of(model, "c2").inputs.push_back("block2_conv1/bias");
  EXPECT_THAT(refusal_of(model), HasSubstr("block2_conv1 has a bias and an Add"));
  model = torch_graph();  // a residual connection
  insert_behind(model, "c3", {"Add", "a", {"conv2"}, {}, {}, ""});
  EXPECT_THAT(refusal_of(model),
              HasSubstr("block2_conv2 is followed by an Add of something that is no constant"));
  model = torch_graph();
  insert_behind(model, "r3", {"Add", "a", {"features.7.bias"}, {}, {}, ""});
  EXPECT_THAT(refusal_of(model), HasSubstr("block2_conv2 is followed by Add"));
}

TEST(OnnxWeights, OtherConvolutionsAndPoolsThanVgg16sAreRefused) {
  const std::vector<std::pair<std::string, std::vector<std::int64_t>>> changes{
      {"strides", {2, 2}}, {"dilations", {2, 2}}, {"pads", {0, 0, 0, 0}}, {"pads", {}}, {"strides", {1}}};
  for (const auto& [name, numbers] : changes) {
    OnnxModel model = torch_graph();
    attribute_of(node_of(model, "c8"), name).integers = numbers;
    EXPECT_THAT(refusal_of(model), HasSubstr("block4_conv2 has another stride")) << name;
  }
  OnnxModel model = torch_graph();
  attribute_of(node_of(model, "c8"), "group").integer = 2;
  EXPECT_THAT(refusal_of(model), HasSubstr("block4_conv2 has another stride"));
  model = keras_graph();
  attribute_of(node_of(model, "c8"), "auto_pad").text = "VALID";
  EXPECT_THAT(refusal_of(model), HasSubstr("block4_conv2 has another stride"));
  for (const char* const name : {"kernel_shape", "strides"}) {
    model = torch_graph();
    attribute_of(node_of(model, "p6"), name).integers = {3, 3};
    EXPECT_THAT(refusal_of(model), HasSubstr("block3_conv3 is followed by another pool")) << name;
  }
  model = torch_graph();
  attribute_of(node_of(model, "p6"), "ceil_mode").integer = 1;
  EXPECT_THAT(refusal_of(model), HasSubstr("block3_conv3 is followed by another pool"));
}

TEST(OnnxWeights, ATransposeThatIsNoPermutationIsRefused) {
  for (const std::vector<std::int64_t>& axes :
       {std::vector<std::int64_t>{3, 2, 0}, {3, 3, 0, 1}, {3, 2, 0, 4}, {3, 2, 0, -1}}) {
    OnnxModel model = keras_graph();
    attribute_of(node_of(model, "block1_conv1/turn"), "perm").integers = axes;
    EXPECT_THAT(refusal_of(model), HasSubstr("Transpose 'block1_conv1/turn'"));
  }
  OnnxModel model = keras_graph();
  node_of(model, "block1_conv1/turn").attributes.clear();
  EXPECT_THAT(refusal_of(model), HasSubstr("Transpose 'block1_conv1/turn'"));
}

StoredConvolutions find_in_onnx(std::span<const std::byte> bytes) {
  const OnnxGraph graph = parse_onnx(bytes);
  StoredConvolutions found = find_convolutions(graph, {vgg16(), "made up"});
  check_convolutions(found, {vgg16(), "made up"});
  return found;
}

/// Kernels and biases under names of which no two differ in a single bit, so that one flip can't take another
/// layer's.
OnnxModel with_distant_names(OnnxModel model) {
  const auto rename = [&](const std::string& before, const std::string& after) {
    for (NodeToWrite& node : model.nodes) {
      std::replace(node.inputs.begin(), node.inputs.end(), before, after);
      std::replace(node.outputs.begin(), node.outputs.end(), before, after);
    }
  };
  for (std::size_t i = 0; i < model.tensors.size(); ++i) {
    const std::string name(3, static_cast<char>('A' + i));
    rename(model.tensors[i].name, name);
    model.tensors[i].name = name;
  }
  for (std::size_t i = 0; i < test::vgg16_convolutions().size(); ++i)
    rename(fmt::format("{}/turned", test::vgg16_convolutions()[i].name),
           std::string(4, static_cast<char>('A' + i)));
  return model;
}

TEST(OnnxWeights, TruncatedAnywhereTheFileIsRefused) {
  test::expect_no_truncation_is_accepted(onnx_file(made_up_torch()), find_in_onnx);
  test::expect_no_truncation_is_accepted(onnx_file(made_up_keras()), find_in_onnx);
}

TEST(OnnxWeights, NoBitOutsideOfTheValuesGivesOtherWeights) {
  test::expect_no_flip_gives_other_weights(onnx_file(with_distant_names(made_up_torch())), find_in_onnx);
  test::expect_no_flip_gives_other_weights(onnx_file(with_distant_names(made_up_keras())), find_in_onnx);
}

TEST(OnnxWeights, NoiseOutsideOfTheValuesIsSurvived) {
  test::expect_noise_is_survived(onnx_file(made_up_torch()), find_in_onnx);
  test::expect_noise_is_survived(onnx_file(made_up_keras()), find_in_onnx);
}

}  // namespace
}  // namespace headstart
