// features/network/safetensors.cpp: see safetensors.hpp.
#include "features/network/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>
#include <vector>

#include "data/image/byte_view.hpp"

namespace headstart {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;

std::invalid_argument not_safetensors(const std::string& why) { return std::invalid_argument(why); }

/// Parses JSON. Refuses an object that has a key twice, because the last one would win silently. Refuses
/// deeper nesting than the format has.
Json parse_strictly(std::string_view text) {
  constexpr int kDeepest = 3;  // the root's tensors' lists
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
      if (depth >= kDeepest) throw not_safetensors("its header is nested too deeply");
      keys.resize(static_cast<std::size_t>(depth) + 1);
      keys.back().clear();
    } else if (event == Json::parse_event_t::key) {
      const auto key = value.get<std::string>();
      if (!keys[static_cast<std::size_t>(depth) - 1].insert(key).second)
        throw not_safetensors(fmt::format("its header has '{}' twice", key));
    }
    return true;
  };
  try {
    return Json::parse(text, watch);
  } catch (const Json::parse_error& error) {
    throw not_safetensors(fmt::format("its header is no JSON from byte {} on", kLengthBytes + error.byte));
  } catch (const Json::exception&) {  // a number beyond double
    throw not_safetensors("its header is no JSON that can be held");
  }
}

/// Size in bits of one value; nothing for an unknown type.
std::optional<std::uint64_t> bits_of(std::string_view type) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 21> kBits{
      {{"BOOL", 8}, {"U8", 8},      {"I8", 8},      {"U16", 16},    {"I16", 16},    {"U32", 32},
       {"I32", 32}, {"U64", 64},    {"I64", 64},    {"F16", 16},    {"BF16", 16},   {"F32", 32},
       {"F64", 64}, {"C64", 64},    {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8},
       {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}}};
  const auto found =
      std::find_if(kBits.begin(), kBits.end(), [&](const auto& entry) { return entry.first == type; });
  if (found == kBits.end()) return std::nullopt;
  return found->second;
}

const Json& member(const Json& entry, const char* key, const std::string& name) {
  const auto found = entry.find(key);
  if (found == entry.end()) throw not_safetensors(fmt::format("tensor '{}' has no {}", name, key));
  return *found;
}

std::vector<std::uint64_t> numbers(const Json& entry, const char* key, const std::string& name) {
  const Json& list = member(entry, key, name);
  const auto counts = [](const Json& number) { return number.is_number_unsigned(); };
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), counts))
    throw not_safetensors(
        fmt::format("the {} of tensor '{}' is no list of whole numbers below 2^64", key, name));
  return list.get<std::vector<std::uint64_t>>();
}

/// The tensor, and its beginning and end in `values`.
struct Placed {
  std::string name;
  SafetensorsTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Placed placed(const std::string& name, const Json& entry, std::span<const std::byte> values) {
  if (!entry.is_object()) throw not_safetensors(fmt::format("tensor '{}' is no JSON object", name));
  const Json& type = member(entry, "dtype", name);
  if (!type.is_string()) throw not_safetensors(fmt::format("the dtype of tensor '{}' is no text", name));
  Placed result{name, {type.get<std::string>(), numbers(entry, "shape", name), {}}, 0, 0};
  const std::vector<std::uint64_t> offsets = numbers(entry, "data_offsets", name);
  if (offsets.size() != 2 || offsets[0] > offsets[1])
    throw not_safetensors(fmt::format("the data_offsets of tensor '{}' are no beginning and end", name));
  result.begin = offsets[0];
  result.end = offsets[1];
  if (result.end > values.size()) {
    throw not_safetensors(
        fmt::format("it ends early: tensor '{}' ends at byte {} of the values, {} are there", name,
                    result.end, values.size()));
  }
  if (const auto bits = bits_of(result.tensor.type)) {
    std::uint64_t all = element_count(result.tensor.shape);
    const bool overflows = __builtin_mul_overflow(all, *bits, &all);
    if (overflows || all % 8 != 0 || all / 8 != result.end - result.begin) {
      throw not_safetensors(fmt::format("tensor '{}' has {} bytes, which {} of {} do not fill exactly", name,
                                        result.end - result.begin, shape_text(result.tensor.shape),
                                        result.tensor.type));
    }
  }
  result.tensor.bytes = values.subspan(result.begin, result.end - result.begin);
  return result;
}

/// Refuses overlaps and gaps. The format allows neither, so either is damage.
void check_layout(std::vector<Placed>& tensors, std::uint64_t size) {
  std::sort(tensors.begin(), tensors.end(), [](const Placed& a, const Placed& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t end = 0;
  std::string_view before = "the header";
  for (const Placed& tensor : tensors) {
    if (tensor.begin < end)
      throw not_safetensors(fmt::format("tensors '{}' and '{}' overlap", before, tensor.name));
    if (tensor.begin > end) {
      throw not_safetensors(
          fmt::format("{} bytes before tensor '{}' belong to none", tensor.begin - end, tensor.name));
    }
    end = tensor.end;
    before = tensor.name;
  }
  if (end != size) throw not_safetensors(fmt::format("{} bytes at its end belong to no tensor", size - end));
}

}  // namespace

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes) {
  const ByteView view(bytes, std::endian::little);
  if (!view.holds(0, kLengthBytes)) throw not_safetensors("it is too short for a safetensors file");
  const std::uint64_t length = view.u64(0);
  if (!view.holds(kLengthBytes, length)) {
    throw not_safetensors(
        fmt::format("its header has {} bytes, of which {} are there", length, view.size() - kLengthBytes));
  }
  if (length > kMaxSafetensorsHeaderBytes)
    throw not_safetensors(
        fmt::format("its header has {} bytes, more than {}", length, kMaxSafetensorsHeaderBytes));
  const Json header = parse_strictly(view.text(kLengthBytes, length));
  if (!header.is_object()) throw not_safetensors("its header is no JSON object");

  SafetensorsFile file;
  const std::span<const std::byte> values = bytes.subspan(kLengthBytes + length);
  std::vector<Placed> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      tensors.push_back(placed(name, entry, values));
      continue;
    }
    if (!entry.is_object()) throw not_safetensors("its __metadata__ is no JSON object");
    for (const auto& [key, text] : entry.items()) {
      if (!text.is_string())
        throw not_safetensors(fmt::format("its __metadata__ has '{}', which is no text", key));
      file.metadata.emplace(key, text.get<std::string>());
    }
  }
  check_layout(tensors, values.size());
  for (Placed& tensor : tensors) file.tensors.emplace(std::move(tensor.name), std::move(tensor.tensor));
  return file;
}

std::optional<FloatType> safetensors_float_type(std::string_view type) noexcept {
  if (type == "F32") return FloatType::kFloat32;
  if (type == "F16") return FloatType::kFloat16;
  if (type == "BF16") return FloatType::kBfloat16;
  if (type == "F64") return FloatType::kFloat64;
  return std::nullopt;
}

}  // namespace headstart
