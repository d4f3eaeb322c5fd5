// tests/features/network/safetensors_file.cpp
#include "tests/features/network/safetensors_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

namespace headstart::test {

SafetensorsEntry float32_entry(std::string name, std::vector<std::uint64_t> shape,
                               std::span<const float> values) {
  const std::span<const std::byte> bytes = std::as_bytes(values);
  return {std::move(name), "F32", std::move(shape), {bytes.begin(), bytes.end()}};
}

std::vector<SafetensorsEntry> torchvision_entries(const NetworkLayers& layers, const std::string& prefix,
                                                  const Network& network) {
  std::vector<SafetensorsEntry> entries;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::string module = fmt::format("{}{}.", prefix, torchvision_module(i, network));
    const std::vector<std::uint64_t> shape = outputs_first_shape(i, network);
    entries.push_back(float32_entry(module + "weight", shape, outputs_first(layers, i, network)));
    entries.push_back(float32_entry(module + "bias", {shape[0]}, layers[i].bias));
  }
  return entries;
}

std::vector<std::byte> safetensors_file(const std::vector<SafetensorsEntry>& entries,
                                        const std::string& metadata) {
  std::string header = "{";
  if (!metadata.empty()) header += "\"__metadata__\":" + metadata;
  std::vector<std::byte> values;
  for (const SafetensorsEntry& entry : entries) {
    if (header.size() > 1) header += ',';
    header +=
        fmt::format(R"("{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", entry.name, entry.type,
                    fmt::join(entry.shape, ","), values.size(), values.size() + entry.values.size());
    values.insert(values.end(), entry.values.begin(), entry.values.end());
  }
  return safetensors_bytes(header + "}", values);
}

std::vector<std::byte> safetensors_bytes(std::string_view header, std::span<const std::byte> values) {
  std::vector<std::byte> bytes;
  bytes.reserve(8 + header.size() + values.size());
  for (unsigned i = 0; i < 8; ++i)
    bytes.push_back(static_cast<std::byte>((header.size() >> (8 * i)) & 0xFFU));
  const auto text = std::as_bytes(std::span(header));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

}  // namespace headstart::test
