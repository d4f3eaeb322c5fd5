// tests/features/graph/small_graph.hpp: graphs of a few nodes from the input "x".
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "features/graph/known_value.hpp"
#include "tests/features/network/onnx_file.hpp"

namespace headstart::test {

/// An attribute of integers, of one integer, of a text.
[[nodiscard]] AttributeToWrite ints(std::string name, std::vector<std::int64_t> values);
[[nodiscard]] AttributeToWrite one_int(std::string name, std::int64_t value);
[[nodiscard]] AttributeToWrite word(std::string name, std::string text);

/// float32 of that shape without values: shapes need none.
[[nodiscard]] TensorToWrite no_values(std::string name, std::vector<std::int64_t> extents);

/// A model with the input "x" and an output that is what the last node makes.
[[nodiscard]] OnnxModel small_graph(std::vector<NodeToWrite> nodes, std::vector<TensorToWrite> tensors = {},
                                    std::vector<std::int64_t> input = {-1, 3, 8, 8});

/// The shape of the last node's first output for an input of that shape, or what is wrong; "not known".
[[nodiscard]] std::string shape_behind(const OnnxModel& model, const Extents& input);

/// A small network as exporters write them: a convolution with stride 2, a ReLU, a residual block, a global
/// pool, Flatten and Gemm. Input [N, 3, 8, 8]; values conv, relu, second, sum, pool, flat, logits.
[[nodiscard]] OnnxModel small_classifier();

}  // namespace headstart::test
