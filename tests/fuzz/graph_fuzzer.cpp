// tests/fuzz/graph_fuzzer.cpp: any file given to --network ends as a network whose taps have shapes, or as
// one line of error.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/error.hpp"
#include "features/graph/graph_cost.hpp"
#include "features/graph/graph_network.hpp"
#include "features/graph/graph_taps.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using headstart::GraphNetwork;
using headstart::GraphTap;
using headstart::fuzz::expect;

void check(const GraphNetwork& network, int size) {
  const headstart::GraphShapes shapes = network.shapes(size);
  const std::vector<GraphTap> taps = taps_of(network.graph(), shapes.values);
  for (const GraphTap& tap : taps) {
    expect(tap.shape.height > 0 && tap.shape.width > 0 && tap.shape.channels > 0, "a tap has activations");
    expect(headstart::multiply_adds(network.graph(), shapes.values, tap.name) >= 0.0, "a tap has a cost");
    expect(headstart::parameter_count(network.graph(), tap.name) >= 0.0, "a tap has parameters");
    if (&tap - taps.data() > 20) break;  // each looks at the whole graph
  }
  for (const GraphTap& tap : tap_candidates(network.graph(), shapes.values))
    expect(!tap.name.empty(), "a name");
  if (const auto tap = default_tap(network.graph(), shapes.values))
    expect(tap->shape.size() > 0, "the default");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const GraphNetwork network({bytes.begin(), bytes.end()}, "fuzzed.onnx");
    (void)network.takes_batches();
    check(network, network.default_size());
    check(network, 32);
  } catch (const headstart::Error& error) {
    expect(error.what() == headstart::printable(error.what()), "an error is one line");
  }
  return 0;
}
