// tests/features/network/safetensors_file.hpp: writes .safetensors files, sound ones and others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/features/network/made_up_weights.hpp"

namespace headstart::test {

struct SafetensorsEntry {
  std::string name;
  std::string type;
  std::vector<std::uint64_t> shape;
  std::vector<std::byte> values;
};

[[nodiscard]] SafetensorsEntry float32_entry(std::string name, std::vector<std::uint64_t> shape,
                                             std::span<const float> values);

/// Kernels and biases under torchvision's names.
[[nodiscard]] std::vector<SafetensorsEntry> torchvision_entries(const NetworkLayers& layers,
                                                                const std::string& prefix = "features.",
                                                                const Network& network = vgg16());

/// @param metadata  JSON, e.g. {"format":"pt"}; empty for none
[[nodiscard]] std::vector<std::byte> safetensors_file(const std::vector<SafetensorsEntry>& entries,
                                                      const std::string& metadata = "");

/// Length, header and values as they are given.
[[nodiscard]] std::vector<std::byte> safetensors_bytes(std::string_view header,
                                                       std::span<const std::byte> values);

}  // namespace headstart::test
