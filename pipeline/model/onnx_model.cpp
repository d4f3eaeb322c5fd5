// pipeline/model/onnx_model.cpp
#include "pipeline/model/onnx_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "features/graph/protobuf_writer.hpp"
#include "features/network/weights_preprocessing.hpp"
#include "pipeline/model/rgb_input.hpp"
#include "pipeline/process/write_file.hpp"

namespace headstart {
namespace {

// Field numbers and enumerators of onnx.proto3.
constexpr std::int64_t kIrVersion = 7;  // the first version with opset 13
constexpr std::int64_t kOpset = 13;
enum DataType : std::int64_t { kFloat = 1, kUint8 = 2, kFloat16 = 10 };
enum AttributeType : std::int64_t { kAttributeInt = 2, kAttributeInts = 7 };

using Extents = std::vector<std::int64_t>;

/// Builds a graph: one chain of nodes, each taking the result of the last one. Invariant: values that tensors
/// refer to outlive the graph.
class Graph {
 public:
  explicit Graph(std::string input) : last_(std::move(input)) {}

  struct Attribute {
    const char* name;
    Extents values;
    bool list = true;  ///< whether it is a list of ints or one int
  };

  /// Appends a node. @param result  the name of the node and of its result
  /// @param constants  names of tensors: the node's inputs after the first
  void next(const char* operation, const std::string& result, const std::vector<std::string>& constants = {},
            const std::vector<Attribute>& attributes = {}) {
    std::vector<std::string> inputs{last_};
    inputs.insert(inputs.end(), constants.begin(), constants.end());
    node(operation, result, inputs, attributes);
  }
  void node(const char* operation, const std::string& result, const std::vector<std::string>& inputs,
            const std::vector<Attribute>& attributes = {}) {
    ProtobufWriter node;
    for (const std::string& input : inputs) node.text(1, input);
    node.text(2, result);
    node.text(3, result);
    node.text(4, operation);
    for (const Attribute& attribute : attributes) {
      ProtobufWriter message;
      message.text(1, attribute.name);
      for (const std::int64_t value : attribute.values) message.number(attribute.list ? 8 : 3, value);
      message.number(20, attribute.list ? kAttributeInts : kAttributeInt);
      node.message(5, std::move(message));
    }
    message_.message(1, std::move(node));
    last_ = result;
  }

  /// Adds a tensor that refers to the values.
  std::string tensor(std::string name, const Extents& extents, std::span<const float> values) {
    ProtobufWriter tensor;
    for (const std::int64_t extent : extents) tensor.number(1, extent);
    tensor.number(2, kFloat);
    tensor.text(8, name);
    tensor.view(9, std::as_bytes(values));  // raw_data, little-endian as this machine is
    message_.message(5, std::move(tensor));
    return name;
  }

  /// Adds a tensor and keeps the values.
  std::string tensor(std::string name, const Extents& extents, std::vector<float> values) {
    return tensor(std::move(name), extents, std::span<const float>(kept_.emplace_back(std::move(values))));
  }

  /// Names an input (field 11) or an output (field 12). An extent of -1 is that of the batch.
  void value(std::uint32_t field, const std::string& name, std::int64_t type, const Extents& extents) {
    ProtobufWriter shape;
    for (const std::int64_t extent : extents) {
      ProtobufWriter dimension;
      if (extent < 0)
        dimension.text(2, "N");
      else
        dimension.number(1, extent);
      shape.message(1, std::move(dimension));
    }
    ProtobufWriter tensor_type;
    tensor_type.number(1, type);
    tensor_type.message(2, std::move(shape));
    ProtobufWriter type_message;
    type_message.message(1, std::move(tensor_type));
    ProtobufWriter info;
    info.text(1, name);
    info.message(2, std::move(type_message));
    message_.message(field, std::move(info));
  }

  /// The message; it refers to values that the graph keeps.
  [[nodiscard]] ProtobufWriter take() {
    message_.text(2, "headstart");
    return std::move(message_);
  }

 private:
  ProtobufWriter message_;
  std::string last_;
  std::deque<std::vector<float>> kept_;
};

/// HWIO to OIHW.
std::vector<float> outputs_first(std::span<const float> kernel, const NetworkLayer& layer) {
  const auto in = static_cast<std::size_t>(layer.in_channels);
  const auto out = static_cast<std::size_t>(layer.out_channels);
  const std::size_t positions = kernel.size() / (in * out);
  std::vector<float> turned(kernel.size());
  for (std::size_t position = 0; position < positions; ++position) {
    for (std::size_t i = 0; i < in; ++i) {
      for (std::size_t o = 0; o < out; ++o)
        turned[(o * in + i) * positions + position] = kernel[(position * in + i) * out + o];
    }
  }
  return turned;
}

void add_preprocessing(Graph& graph, const RgbInput& input) {
  graph.next("Cast", "pixels_float", {}, {{"to", {kFloat}, false}});
  graph.next("Transpose", "channels_first", {}, {{"perm", {0, 3, 1, 2}}});
  const auto constant = [&](const char* name, const std::array<float, 3>& values) {
    return graph.tensor(name, {1, 3, 1, 1}, std::vector<float>(values.begin(), values.end()));
  };
  if (input.factor != std::array<float, 3>{1.0F, 1.0F, 1.0F})
    graph.next("Mul", "scaled", {constant("factor", input.factor)});
  graph.next("Add", "preprocessed", {constant("offset", input.offset)});
}

void add_convolutions(Graph& graph, const Model& model, const RgbInput& input) {
  std::size_t next = 0;  // convolution
  for (const NetworkLayer& layer : layers_to(model.weights.network, model.tap)) {
    const std::int64_t window = layer.window;
    if (layer.kind == LayerKind::kMaxPool) {
      graph.next("MaxPool", layer.name, {},
                 {{"kernel_shape", {window, window}}, {"strides", {window, window}}});
      continue;
    }
    const std::size_t i = next++;
    const auto& [kernel, bias] = model.weights.layers[i];
    const std::span<const float> hwio = i == 0 ? input.first_kernel : kernel;
    const std::int64_t pad = window / 2;
    graph.next("Conv", layer.name + "/convolved",
               {graph.tensor(layer.name + "/kernel", {layer.out_channels, layer.in_channels, window, window},
                             outputs_first(hwio, layer)),
                graph.tensor(layer.name + "/bias", {layer.out_channels}, std::span(bias))},
               {{"kernel_shape", {window, window}}, {"pads", {pad, pad, pad, pad}}, {"strides", {1, 1}}});
    graph.next("Relu", layer.name);
  }
}

void add_representation(Graph& graph, const Model& model) {
  if (model.configuration.storage == FeatureType::kFloat16) {  // as the cache stores a row
    graph.next("Cast", "stored", {}, {{"to", {kFloat16}, false}});
    graph.next("Cast", "restored", {}, {{"to", {kFloat}, false}});
  }
  switch (model.representation.pooling) {
    case Pooling::kFlatten:  // rows are (row, column, channel), as in model.h5
      graph.next("Transpose", "channels_last", {}, {{"perm", {0, 2, 3, 1}}});
      break;
    case Pooling::kAverage:
      graph.next("GlobalAveragePool", "average");
      break;
    case Pooling::kMaximum:
      graph.next("GlobalMaxPool", "maximum");
      break;
  }
  graph.next("Flatten", "features", {}, {{"axis", {1}, false}});
  if (model.representation.transform == Transform::kUnit) {
    // x / (|x| + 1e-12), which equals x / max(|x|, 1e-12) in float, except for rows shorter than 1e-5. Only
    // nodes that OpenCV 4.6 knows. OpenCV has no LpNormalization and no Clip with one side. OpenCV divides
    // only rows of the same length, so the divisor is repeated.
    const std::int64_t width = model.head.layers.front().kernel.rows();
    graph.next("ReduceL2", "length", {}, {{"axes", {1}}, {"keepdims", {1}, false}});
    graph.next("Add", "divisor", {graph.tensor("least_length", {1}, std::vector<float>{1e-12F})});
    std::vector<float> ones(static_cast<std::size_t>(width), 1.0F);
    graph.next("MatMul", "divisors", {graph.tensor("ones", {1, width}, std::move(ones))});
    graph.node("Div", "unit_features", {"features", "divisors"});
  }
}

void add_head(Graph& graph, const Head& head) {
  for (std::size_t i = 0; i < head.layers.size(); ++i) {
    const Dense& dense = head.layers[i];
    const bool last = i + 1 == head.layers.size();
    const std::string name = last ? "logits" : fmt::format("hidden_{}", i + 1);
    // Outputs first, as in PyTorch: OpenCV 4.6 accepts no other order.
    std::vector<float> kernel(static_cast<std::size_t>(dense.kernel.size()));
    Eigen::Map<Matrix>(kernel.data(), dense.kernel.cols(), dense.kernel.rows()) = dense.kernel.transpose();
    const std::span<const float> bias(dense.bias.data(), static_cast<std::size_t>(dense.bias.size()));
    graph.next("Gemm", last ? name : name + "/sum",
               {graph.tensor(name + "/kernel", {dense.kernel.cols(), dense.kernel.rows()}, std::move(kernel)),
                graph.tensor(name + "/bias", {dense.bias.size()}, bias)},
               {{"transB", {1}, false}});
    if (!last) graph.next("Relu", name);
  }
  graph.next("Softmax", "probabilities", {}, {{"axis", {1}, false}});
}

std::string interpolation_text(const ResizeOptions& resize) {
  std::string text(to_string(resize.interpolation));
  if (resize.interpolation == Interpolation::kNearest) return text;
  return text + (resize.antialias ? ", antialiased as Pillow does" : ", half-pixel centres, no antialiasing");
}

std::vector<std::pair<std::string, std::string>> metadata(const Model& model, const RgbInput& input) {
  const ExtractorConfiguration& c = model.configuration;
  std::vector<std::pair<std::string, std::string>> entries{
      {"class_names",
       nlohmann::json(model.classes).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)},
      {"headstart_version", HEADSTART_VERSION},
      {"input", fmt::format("RGB pixels, 0 to 255, {0} x {0}", c.resize.size)},
      {"resize", std::string(to_string(c.resize.mode))},
      {"interpolation", interpolation_text(c.resize)},
      {"alpha", c.alpha == Alpha::kWhite ? "over white" : "dropped"},
      {"exif", c.ignore_exif ? "orientation ignored" : "orientation applied"},
      {"tap", std::string(to_string(model.tap))},
      {"weights_identity", c.weights_identity.hex()},
      {"fingerprint", c.fingerprint()},
      {std::string(kPreprocessingKey), preprocessing_statement(input.preprocessing)}};
  if (c.range) entries.emplace_back("range", to_string(*c.range));
  if (c.resize.mode == ResizeMode::kShorterSide)
    entries.emplace_back("crop_share", fmt::format("{}", c.resize.crop_share));
  if (c.network != vgg16()) entries.emplace_back("network", c.network.name);
  return entries;
}

}  // namespace

void write_onnx_model(const Model& model, const std::filesystem::path& file) {
  const std::int64_t size = model.configuration.resize.size;
  const RgbInput input = rgb_input(model);
  Graph graph("pixels");
  add_preprocessing(graph, input);
  add_convolutions(graph, model, input);
  add_representation(graph, model);
  add_head(graph, model.head);
  graph.value(11, "pixels", kUint8, {-1, size, size, 3});
  graph.value(12, "probabilities", kFloat, {-1, static_cast<std::int64_t>(model.classes.size())});
  ProtobufWriter opset;
  opset.text(1, "");
  opset.number(2, kOpset);

  ProtobufWriter message;
  message.number(1, kIrVersion);
  message.text(2, "headstart");
  message.text(3, HEADSTART_VERSION);
  message.text(
      6, fmt::format("{} features and a trained head: uint8 RGB pixels to the probabilities of classes.",
                     model.weights.network.title));
  message.message(7, graph.take());
  message.message(8, std::move(opset));
  for (const auto& [key, value] : metadata(model, input)) {
    ProtobufWriter entry;
    entry.text(1, key);
    entry.text(2, value);
    message.message(14, std::move(entry));
  }
  if (message.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    throw Error{
        Error::Kind::kFailed, "the model is too large for ONNX",
        fmt::format("{}: {} bytes, and 2 GiB are the limit", printable(file.string()), message.size()),
        "train with fewer --hidden units, or --pooling avg"};
  }
  write_file(file, message.parts());
}

}  // namespace headstart
