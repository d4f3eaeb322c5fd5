// features/graph/graph_network.cpp
#include "features/graph/graph_network.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>
#include <variant>

#include "data/error.hpp"
#include "data/file_bytes.hpp"

namespace headstart {
namespace {

constexpr std::uint64_t kFloat32 = 1;  // TensorProto.DataType
constexpr std::uint64_t kUint8 = 2;
constexpr std::int64_t kLargestSide = 16'384;

Error unfit(const std::string& name, std::string_view why, std::string_view advice) {
  return {Error::Kind::kFailed, "not a network that headstart can run", fmt::format("{}: {}", name, why),
          advice};
}

constexpr std::string_view kExportAgain =
    "export it again for one input of [N, 3, H, W] in float32 with N free, and with its weights in the file";

/// The only height and width, if the file says one.
std::optional<int> fixed_side(const OnnxValue& input) {
  const auto& shape = input.shape;
  if (shape.size() != 4)
    throw std::invalid_argument(fmt::format("its input '{}' has {} axes", input.name, shape.size()));
  if (shape[1].value_or(3) != 3)
    throw std::invalid_argument(fmt::format("its input '{}' has {} channels", input.name, *shape[1]));
  if (input.type != kFloat32 && input.type != kUint8)
    throw std::invalid_argument(fmt::format("its input '{}' is neither float32 nor uint8", input.name));
  if (shape[0].value_or(1) != 1)
    throw std::invalid_argument(fmt::format("its input '{}' is a batch of {}", input.name, *shape[0]));
  if (!shape[2] && !shape[3]) return std::nullopt;
  const std::int64_t side = shape[2].value_or(shape[3].value_or(0));
  if (shape[3].value_or(side) != side || side > kLargestSide)
    throw std::invalid_argument(
        fmt::format("its input '{}' is {} x {}", input.name, side, shape[3].value_or(side)));
  return static_cast<int>(side);
}

}  // namespace

GraphNetwork::GraphNetwork(std::vector<std::byte> bytes, std::string name)
    : bytes_(std::move(bytes)), name_(std::move(name)), identity_(sha256(bytes_)) {
  try {
    graph_ = parse_onnx(bytes_);
  } catch (const std::invalid_argument& error) {
    throw unfit(name_, fmt::format("is no ONNX file, or a damaged one: {}", printable(error.what())),
                "pass an ONNX file to --network, or the name of a known network");
  }
  try {
    if (graph_.inputs.size() != 1)
      throw std::invalid_argument(fmt::format("it has {} inputs, needed one: images", graph_.inputs.size()));
    if (graph_.nodes.size() > kMaxGraphNodes)
      throw std::invalid_argument(
          fmt::format("it has {} nodes, more than {}", graph_.nodes.size(), kMaxGraphNodes));
    fixed_size_ = fixed_side(graph_.inputs.front());
  } catch (const std::invalid_argument& error) {
    throw unfit(name_, printable(error.what()), kExportAgain);
  }
  static_cast<void>(shapes(default_size()));
}

bool GraphNetwork::takes_bytes() const noexcept { return graph_.inputs.front().type == kUint8; }

GraphShapes GraphNetwork::shapes_of_batch(std::int64_t batch, int size) const {
  if (fixed_size_.value_or(size) != size) {
    throw Error{Error::Kind::kFailed, "the network does not take this size of input",
                fmt::format("{}: {}, needed {}", name_, size, *fixed_size_),
                fmt::format("pass --input-size {}", *fixed_size_)};
  }
  try {
    return infer_shapes(graph_, {batch, 3, size, size});
  } catch (const std::invalid_argument& error) {
    throw unfit(name_, fmt::format("for images of {0} x {0}: {1}", size, printable(error.what())),
                fixed_size_ ? kExportAgain : "pass the --input-size that the network was made for");
  }
}

bool GraphNetwork::takes_batches() const {
  if (graph_.inputs.front().shape[0]) return false;
  constexpr std::int64_t kTwo = 2;
  try {
    const GraphShapes two = shapes_of_batch(kTwo, default_size());
    if (graph_.outputs.empty()) return false;
    const auto output = two.values.find(graph_.outputs.front().name);
    return output != two.values.end() && !output->second.shape.empty() &&
           output->second.shape.front() == kTwo;
  } catch (const Error&) {
    return false;
  }
}

std::shared_ptr<const GraphNetwork> read_graph_network(const std::filesystem::path& file) {
  auto read = read_file(file, kMaxGraphFileBytes);
  if (const auto* const reject = std::get_if<Reject>(&read)) {
    throw Error{Error::Kind::kFailed, "cannot read the network",
                fmt::format("{}: {}", file.string(), reject->reason),
                "pass an ONNX file to --network, or the name of a known network"};
  }
  return std::make_shared<const GraphNetwork>(std::get<std::vector<std::byte>>(std::move(read)),
                                              file.string());
}

}  // namespace headstart
