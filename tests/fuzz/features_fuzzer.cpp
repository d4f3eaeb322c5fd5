// tests/fuzz/features_fuzzer.cpp: a well-formed HDF5 file that says anything, given to the reader of
// features.h5, ends as a table whose rows can be trained on, or as one line of error.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "pipeline/rows/feature_file_reader.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/hdf5_recipe.hpp"
#include "tests/fuzz/named_file.hpp"

namespace {

using headstart::FeatureTable;
using headstart::RowIndex;
using headstart::fuzz::expect;
using headstart::fuzz::Hdf5Object;
using enum Hdf5Object::Kind;

constexpr std::size_t kColumns = 64;  // of block1_pool, pooled

/// Three rows, as write_feature_file writes them.
std::vector<Hdf5Object> feature_objects(FuzzedDataProvider& data) {
  using Text = Hdf5Object::VariableString;
  using Texts = Hdf5Object::VariableStrings;
  std::string extractor = headstart::ExtractorConfiguration{}.canonical_json();
  if (data.ConsumeBool())  // JSON as anybody writes it
    extractor.replace(data.ConsumeIntegralInRange<std::size_t>(0, extractor.size()),
                      data.ConsumeIntegralInRange<std::size_t>(0, 40), data.ConsumeRandomLengthString(40));
  const std::vector<std::string> splits = data.ConsumeBool()
                                              ? std::vector<std::string>(3)
                                              : std::vector<std::string>{"train", "validation", "test"};
  std::vector<float> features(3 * kColumns);
  features[0] = features[70] = features[191] = 1.5F;
  return {{kAttribute, "/", "format", {}, Text{headstart::kFeatureFileFormat}},
          {kAttribute, "/", "format_version", {}, std::vector<std::int32_t>{headstart::kFeatureFileVersion}},
          {kAttribute, "/", "extractor", {}, Text{extractor}},
          {kAttribute, "/", "tap", {}, Text{"block1_pool"}},
          {kAttribute, "/", "pooling", {}, Text{"avg"}},
          {kAttribute, "/", "map_shape", {3}, std::vector<std::int64_t>{112, 112, 64}},
          {kDataset, "/", "labels", {3}, std::vector<std::int32_t>{0, 1, 1}},
          {kDataset, "/", "class_names", {}, Texts{{"cats", "dogs"}}},
          {kDataset, "/", "paths", {}, Texts{{"cats/1.jpg", "dogs/2.jpg", "dogs/3.jpg"}}},
          {kDataset, "/", "split", {}, Texts{splits}},
          {kDataset, "/", "group", {}, Texts{{"", "twins", "twins"}}},
          {kDataset, "/", "sha256", {3, 32}, std::vector<std::uint8_t>(96, 5)},
          {kDataset, "/", "features", {3, kColumns}, features}};
}

void check(const headstart::FeatureFileReader& reader) {
  const FeatureTable& table = reader.table();
  const std::size_t rows = table.labels.size();
  expect(rows > 0 && table.paths.size() == rows && table.splits.size() == rows &&
             table.groups.size() == rows && table.keys.size() == rows,
         "a row has everything");
  for (const std::int32_t label : table.labels)
    expect(label >= 0 && static_cast<std::size_t>(label) < table.class_names.size(), "a label has a class");
  const headstart::StoredRows stored = reader.rows();
  expect(stored.count == rows && stored.layout.segments.size() == rows, "all rows are stored");
  std::vector<RowIndex> backwards(rows);
  std::iota(backwards.rbegin(), backwards.rend(), 0);
  const headstart::SparseRows read = stored.read(backwards);
  expect(read.rows() == rows && read.columns == static_cast<std::int64_t>(stored.shape.size()),
         "rows are read");
  expect(static_cast<std::int64_t>(read.values.size()) == stored.layout.nonzeros,
         "rows are as they were counted");
  for (const float value : read.values) expect(std::isfinite(value) && value != 0.0F, "values are finite");
  expect(headstart::dataset_of(table).used.size() == rows, "every row is used");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider provider(data, size);
  const std::vector<Hdf5Object> objects = feature_objects(provider);
  const std::vector<std::byte> bytes = headstart::fuzz::hdf5_file_of(objects, provider);
  const headstart::fuzz::NamedFile file("features", bytes);
  try {
    check(headstart::FeatureFileReader(file.path()));
  } catch (const headstart::Error& error) {
    expect(error.what() == headstart::printable(error.what()), "an error is one line");
  }
  return 0;
}
