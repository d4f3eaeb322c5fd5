// features/graph/graph_network.hpp: a network that is the graph of an ONNX file, checked before any engine
// sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/sha256.hpp"
#include "features/graph/graph_shapes.hpp"
#include "features/graph/onnx_graph.hpp"

namespace headstart {

/// A larger file is refused before it is read: Protocol Buffers messages have this limit.
inline constexpr std::uint64_t kMaxGraphFileBytes = std::uint64_t{1} << 31;

/// A graph of more nodes is refused: networks have a few thousand, and looking at every tap takes their
/// square.
inline constexpr std::size_t kMaxGraphNodes = 20'000;

/// Immutable. Its identity is the SHA-256 of the file.
/// Invariants: one input, [N, 3, H, W] of float32 or uint8, square where both are fixed; no constant in
/// another file; no graph within the graph; the shapes of its values fit together.
class GraphNetwork {
 public:
  /// @param name  of the file, in errors
  /// @throws Error kFailed with file, node and reason if an invariant does not hold
  GraphNetwork(std::vector<std::byte> bytes, std::string name);
  GraphNetwork(const GraphNetwork&) = delete;  // the graph's views lie in the bytes
  GraphNetwork& operator=(const GraphNetwork&) = delete;
  GraphNetwork(GraphNetwork&&) = delete;
  GraphNetwork& operator=(GraphNetwork&&) = delete;
  ~GraphNetwork() = default;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] const Sha256& identity() const noexcept { return identity_; }
  [[nodiscard]] const OnnxGraph& graph() const noexcept { return graph_; }

  /// Whether it takes the pixels as they are, in uint8.
  [[nodiscard]] bool takes_bytes() const noexcept;
  /// The only height and width that it takes; nothing: any.
  [[nodiscard]] std::optional<int> fixed_size() const noexcept { return fixed_size_; }
  /// fixed_size(), or 224, ImageNet's.
  [[nodiscard]] int default_size() const noexcept { return fixed_size_.value_or(224); }

  /// The values for one image of this height and width.
  /// @throws Error kFailed if the network does not take this size
  [[nodiscard]] GraphShapes shapes(int size) const { return shapes_of_batch(1, size); }
  /// Whether more images than one can run at a time: an exporter may write a batch of one into the graph.
  [[nodiscard]] bool takes_batches() const;

 private:
  [[nodiscard]] GraphShapes shapes_of_batch(std::int64_t batch, int size) const;

  std::vector<std::byte> bytes_;
  std::string name_;
  Sha256 identity_;
  OnnxGraph graph_;
  std::optional<int> fixed_size_;
};

/// Reads and checks a file. @throws Error kFailed as GraphNetwork(), or if the file can't be read
[[nodiscard]] std::shared_ptr<const GraphNetwork> read_graph_network(const std::filesystem::path& file);

}  // namespace headstart
