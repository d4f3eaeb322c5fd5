// pipeline/run/checkpoint.cpp
#include "pipeline/run/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string_view>

#include "data/file_bytes.hpp"
#include "data/image/byte_view.hpp"
#include "data/sha256.hpp"
#include "features/json_integer.hpp"
#include "memory/enum_names.hpp"
#include "pipeline/process/write_file.hpp"

namespace headstart {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

using Json = nlohmann::ordered_json;
using Bytes = std::span<const std::byte>;

constexpr std::string_view kMagic = "headstart checkpoint 1\n\n";
constexpr std::size_t kHeaderStart = kMagic.size() + sizeof(std::uint64_t);
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kDigestBytes = sizeof(Sha256::bytes);

std::size_t aligned(std::size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// ---- writing

Json to_json(const std::optional<double>& number) { return number ? Json(*number) : Json(nullptr); }

Json to_json(std::span<const EpochResult> history) {
  Json json = Json::array();
  for (const EpochResult& epoch : history) {
    json.push_back({epoch.epoch, epoch.loss, epoch.accuracy, to_json(epoch.val_loss),
                    to_json(epoch.val_accuracy), epoch.learning_rate, epoch.seconds});
  }
  return json;
}

Json shapes_of(std::span<const Dense> layers) {
  Json json = Json::array();
  for (const Dense& layer : layers)
    json.push_back({layer.kernel.rows(), layer.kernel.cols(), layer.bias.size()});
  return json;
}

/// Doubles are written in the shortest form that is read again as exactly the same number.
Json header_of(const RunIdentity& identity, Solver solver, const TrainingState& state) {
  Json json{{"identity", identity},
            {"solver", to_string(solver)},
            {"history", to_json(state.history)},
            {"layers", shapes_of(state.layers)},
            {"velocities", shapes_of(state.velocities)},
            {"best", shapes_of(state.best)},
            {"numbers", state.first.numbers},
            {"arrays", Json::array()}};
  for (const std::span<const float> array : state.first.arrays) json["arrays"].push_back(array.size());
  return json;
}

std::vector<std::span<const float>> arrays_of(const TrainingState& state) {
  std::vector<std::span<const float>> arrays;
  for (const std::span<const Dense> layers : {state.layers, state.velocities, state.best}) {
    for (const Dense& layer : layers) {
      arrays.emplace_back(layer.kernel.data(), static_cast<std::size_t>(layer.kernel.size()));
      arrays.emplace_back(layer.bias.data(), static_cast<std::size_t>(layer.bias.size()));
    }
  }
  arrays.insert(arrays.end(), state.first.arrays.begin(), state.first.arrays.end());
  return arrays;
}

// ---- reading

[[noreturn]] void damaged(const char* why) { throw std::runtime_error(why); }

std::vector<EpochResult> history_from(const Json& json) {
  const auto optional = [](const Json& value) {
    return value.is_null() ? std::optional<double>() : std::optional<double>(value.get<double>());
  };
  std::vector<EpochResult> history;
  for (const Json& row : json) {
    history.push_back({json_integer<int>(row.at(0)), row.at(1), row.at(2), optional(row.at(3)),
                       optional(row.at(4)), row.at(5), row.at(6)});
  }
  return history;
}

/// The arrays after the header, one after another. The reader returns only memory of the file, so a caller
/// never allocates more than the file's size.
class ArrayReader {
 public:
  explicit ArrayReader(Bytes bytes) : bytes_(bytes) {}

  std::span<const float> next(std::uint64_t floats) {
    if (floats > bytes_.size() / sizeof(float)) damaged("an array is longer than the file");
    const std::size_t size = static_cast<std::size_t>(floats) * sizeof(float);
    // The buffer comes from operator new, and the offset is a multiple of 64. So the data are aligned for
    // floats.
    const auto* const data = reinterpret_cast<const float*>(bytes_.data());
    if (aligned(size) > bytes_.size()) damaged("an array is longer than the file");
    bytes_ = bytes_.subspan(aligned(size));
    return {data, static_cast<std::size_t>(floats)};
  }

  std::vector<Dense> next_layers(const Json& shapes) {
    std::vector<Dense> layers;
    for (const Json& shape : shapes) {
      const auto rows = json_integer<std::uint32_t>(shape.at(0));
      const auto columns = json_integer<std::uint32_t>(shape.at(1));
      const std::span<const float> kernel = next(std::uint64_t{rows} * columns);
      const std::span<const float> bias = next(json_integer<std::uint32_t>(shape.at(2)));
      layers.push_back({Eigen::Map<const Matrix>(kernel.data(), rows, columns),
                        Eigen::Map<const RowVector>(bias.data(), static_cast<Eigen::Index>(bias.size()))});
    }
    return layers;
  }

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

 private:
  Bytes bytes_;
};

std::optional<double> number_in(const std::string& text) {
  double value = 0.0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end ? std::optional<double>(value) : std::nullopt;
}

bool same_value(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const std::optional<double> number = number_in(a);
  return number && number == number_in(b);
}

}  // namespace

std::optional<std::string> difference(const RunIdentity& saved, const RunIdentity& ours,
                                      const RunIdentity& presets) {
  const auto value_in = [&](const RunIdentity& identity, const std::string& name) {
    for (const RunIdentity* values : {&identity, &presets}) {
      const auto found = std::find_if(values->begin(), values->end(),
                                      [&](const auto& entry) { return entry.first == name; });
      if (found != values->end()) return found->second;
    }
    return std::string("nothing");
  };
  for (const RunIdentity* identity : {&ours, &saved}) {
    for (const auto& [name, value] : *identity) {
      const std::string there = value_in(saved, name);
      const std::string here = value_in(ours, name);
      if (!same_value(there, here)) return fmt::format("{} is {} there, {} here", name, there, here);
    }
  }
  return std::nullopt;
}

void write_checkpoint(const std::filesystem::path& file, const RunIdentity& identity, Solver solver,
                      const TrainingState& state) {
  std::string header =
      header_of(identity, solver, state).dump(-1, ' ', false, Json::error_handler_t::replace);
  header.resize(aligned(kHeaderStart + header.size()) - kHeaderStart, ' ');
  const std::uint64_t length = header.size();
  static constexpr std::array<std::byte, kAlignment> kZeros{};
  std::vector<Bytes> parts{std::as_bytes(std::span(kMagic)), std::as_bytes(std::span(&length, 1)),
                           std::as_bytes(std::span(header))};
  for (const std::span<const float> array : arrays_of(state)) {
    const Bytes bytes = std::as_bytes(array);
    parts.push_back(bytes);
    parts.push_back(std::span(kZeros).first(aligned(bytes.size()) - bytes.size()));
  }
  Sha256Stream stream;
  for (const Bytes part : parts) stream.update(part);
  const Sha256 digest = stream.finish();
  parts.push_back(std::as_bytes(std::span(digest.bytes)));
  write_file(file, parts);
}

void Checkpoint::parse(std::size_t header_end, const std::string& header) {
  const Json json = Json::parse(header);
  identity = json.at("identity").get<RunIdentity>();
  const std::optional<Solver> named = parse_name<Solver>(json.at("solver").get<std::string>());
  if (!named || *named == Solver::kAuto) damaged("it names an unknown solver");
  solver = *named;
  history_ = history_from(json.at("history"));
  first_.numbers = json.at("numbers").get<std::vector<double>>();
  ArrayReader arrays(Bytes(bytes_).subspan(header_end, bytes_.size() - kDigestBytes - header_end));
  layers_ = arrays.next_layers(json.at("layers"));
  velocities_ = arrays.next_layers(json.at("velocities"));
  best_ = arrays.next_layers(json.at("best"));
  for (const Json& floats : json.at("arrays"))
    first_.arrays.push_back(arrays.next(json_integer<std::uint64_t>(floats)));
  if (!arrays.empty()) damaged("it has more bytes than it says");
}

std::variant<Checkpoint, Reject> read_checkpoint(const std::filesystem::path& file, std::uint64_t max_bytes) {
  auto read = read_file(file, max_bytes);
  if (const Reject* const reject = std::get_if<Reject>(&read)) return *reject;
  Checkpoint checkpoint;
  checkpoint.bytes_ = std::move(std::get<std::vector<std::byte>>(read));
  const ByteView view(checkpoint.bytes_, std::endian::little);
  if (!view.has(0, kMagic) || view.size() < kHeaderStart + kDigestBytes)
    return Reject{"not a checkpoint of this version"};
  const std::size_t end = view.size() - kDigestBytes;
  const Bytes stored = view.slice(end, kDigestBytes);
  if (std::memcmp(sha256(view.slice(0, end)).bytes.data(), stored.data(), kDigestBytes) != 0)
    return Reject{"its SHA-256 does not fit its bytes"};
  const std::uint64_t length = view.u64(kMagic.size());
  if (length > end - kHeaderStart || (kHeaderStart + length) % kAlignment != 0)
    return Reject{"its header's length is wrong"};
  try {
    checkpoint.parse(kHeaderStart + static_cast<std::size_t>(length),
                     std::string(view.text(kHeaderStart, length)));
  } catch (const std::exception& error) {  // damaged() or nlohmann's
    return Reject{error.what()};
  }
  return checkpoint;
}

}  // namespace headstart
