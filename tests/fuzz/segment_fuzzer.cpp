// tests/fuzz/segment_fuzzer.cpp: a well-formed HDF5 file that says anything, given to decode_segment, ends as
// a segment that writes back to itself, or as one line of error. Damaged bytes never come this far: their
// SHA-256 is not the one in the file's name.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "features/cache/segment.hpp"
#include "features/float16.hpp"
#include "features/network/all_finite.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/hdf5_recipe.hpp"

namespace {

using headstart::Float16;
using headstart::Segment;
using headstart::SegmentHeader;
using headstart::fuzz::expect;
using headstart::fuzz::Hdf5Object;
using enum Hdf5Object::Kind;

/// Values as they are stored.
Hdf5Object::Values stored(const std::vector<float>& values, bool halves) {
  if (!halves) return values;
  std::vector<Float16> result;
  for (const float value : values) result.push_back(headstart::to_float16(value));
  return result;
}

/// Two rows of a 1 x 2 x 4 map, as encode_segment writes them.
std::vector<Hdf5Object> segment_objects(bool dense, bool halves) {
  using Text = Hdf5Object::VariableString;
  std::vector<Hdf5Object> objects{
      {kAttribute, "/", "format", {}, Text{"headstart segment"}},
      {kAttribute, "/", "format_version", {}, std::vector<std::int32_t>{halves ? 2 : 1}},
      {kAttribute, "/", "tap", {}, Text{"block5_pool"}},
      {kAttribute, "/", "shape", {3}, std::vector<std::int64_t>{1, 2, 4}},
      {kAttribute, "/", "engine", {}, Text{"onednn"}},
      {kAttribute, "/", "engine_version", {}, Text{"1"}},
      {kAttribute, "/", "headstart_version", {}, Text{"1"}},
      {kAttribute, "/", "host", {}, Text{"host"}},
      {kDataset, "/", "sha256", {2, 32}, std::vector<std::uint8_t>(64, 5)},
      {kDataset, "/", "nonzeros", {2}, std::vector<std::int32_t>{2, 1}},
  };
  if (dense) {
    std::vector<float> values(16);
    values[0] = values[7] = values[11] = 1.5F;
    objects.push_back({kDataset, "/", "activations", {2, 1, 2, 4}, stored(values, halves)});
    return objects;
  }
  objects.push_back({kGroup, "/", "activations", {}, {}});
  objects.push_back({kAttribute, "/activations", "encoding-type", {}, Text{"csr_matrix"}});
  objects.push_back({kAttribute, "/activations", "encoding-version", {}, Text{"0.1.0"}});
  objects.push_back({kAttribute, "/activations", "shape", {2}, std::vector<std::int64_t>{2, 8}});
  objects.push_back({kDataset, "/activations", "data", {3}, stored({1.0F, 2.0F, 3.0F}, halves)});
  objects.push_back({kDataset, "/activations", "indices", {3}, std::vector<std::int32_t>{0, 7, 3}});
  objects.push_back({kDataset, "/activations", "indptr", {3}, std::vector<std::int64_t>{0, 2, 3}});
  return objects;
}

void check_segment(const Segment& segment) {
  const headstart::SparseRows& rows = segment.rows;
  expect(rows.rows() == segment.keys.size(), "a row has a key");
  expect(rows.columns == static_cast<std::int64_t>(segment.shape.size()), "a row has the shape's size");
  expect(rows.indptr.front() == 0 && rows.indptr.back() == static_cast<std::int64_t>(rows.values.size()) &&
             rows.indices.size() == rows.values.size(),
         "rows fill their values");
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    std::int64_t last = -1;
    for (const std::int32_t index : rows.row_indices(i)) {
      expect(index > last && index < rows.columns, "indices ascend within the row");
      last = index;
    }
  }
  expect(headstart::all_finite(rows.values), "values are finite");
  const Segment again = headstart::decode_segment(headstart::encode_segment(segment));
  expect(again.rows == rows && again.keys == segment.keys && again.origin == segment.origin &&
             again.shape == segment.shape && again.tap == segment.tap && again.storage == segment.storage,
         "a segment reads back");
}

void check_error(const headstart::Error& error) {
  expect(error.what() == headstart::printable(error.what()), "an error is one line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider provider(data, size);
  const bool dense = provider.ConsumeBool();
  const bool halves = provider.ConsumeBool();
  const std::vector<std::byte> bytes =
      headstart::fuzz::hdf5_file_of(segment_objects(dense, halves), provider);
  bool header_is_sound = false;
  try {
    const SegmentHeader header = headstart::decode_segment_header(bytes);
    expect(header.nonzeros.size() == header.keys.size(), "a row has a count");
    header_is_sound = true;
  } catch (const headstart::Error& error) {
    check_error(error);
  }
  try {
    check_segment(headstart::decode_segment(bytes));
    expect(header_is_sound, "a segment has a header");
  } catch (const headstart::Error& error) {
    check_error(error);
  }
  return 0;
}
