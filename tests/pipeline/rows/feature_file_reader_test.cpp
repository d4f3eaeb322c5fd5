// tests/pipeline/rows/feature_file_reader_test.cpp: what was written comes back; a file that contradicts
// itself is refused before anything is trained on it. h5py's own files: tests/interop.
#include "pipeline/rows/feature_file_reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "data/error.hpp"
#include "tests/features/hdf5/hdf5_on_disk.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ScratchFolder;

constexpr std::int64_t kColumns = 512;

/// Row r has r + 1 in columns r and r + 100, and nothing else.
SparseRows rows_of(std::span<const RowIndex> rows) {
  SparseRows matrix;
  matrix.columns = kColumns;
  matrix.indptr = {0};
  for (const RowIndex row : rows) {
    for (const RowIndex column : {row, row + 100}) {
      matrix.indices.push_back(column);
      matrix.values.push_back(static_cast<float>(row) + 1.0F);
    }
    matrix.indptr.push_back(static_cast<std::int64_t>(matrix.values.size()));
  }
  return matrix;
}

FeatureTable table_of(int rows) {
  FeatureTable table;
  table.pooling = Pooling::kMaximum;
  table.shape = tap_shape(vgg16(), table.tap, table.configuration.resize.size);
  table.class_names = {"cats", "dogs"};
  for (int row = 0; row < rows; ++row) {
    table.labels.push_back(row % 2);
    table.paths.push_back("dogs/" + std::to_string(row) + " \u00e9.jpg");
    table.splits.emplace_back(row % 3 == 0 ? "validation" : "train");
    table.groups.emplace_back(row < 2 ? "twins" : "");
    table.keys.push_back(sha256(table.paths.back()));
  }
  return table;
}

fs::path written(const ScratchFolder& scratch, const FeatureTable& table,
                 FeatureType type = FeatureType::kFloat32) {
  fs::path file = scratch / "f.h5";
  write_feature_file(file, table, kColumns, type, rows_of);
  return file;
}

// In any order, with gaps and repetitions, dense and sparse.
TEST(FeatureFileReader, ReadsRowsInTheOrderAskedFor) {
  const ScratchFolder scratch;
  const FeatureFileReader reader(written(scratch, table_of(30)));
  const StoredRows stored = reader.rows();
  for (const std::vector<RowIndex>& rows :
       {std::vector<RowIndex>{3, 4, 5, 6}, std::vector<RowIndex>{6, 5, 4},
        std::vector<RowIndex>{7, 7, 8, 2, 29, 0}, std::vector<RowIndex>{0, 2, 4, 5, 6, 9},
        std::vector<RowIndex>{}}) {
    EXPECT_EQ(stored.read(rows), rows_of(rows));
    std::vector<float> dense(rows.size() * static_cast<std::size_t>(kColumns), -1.0F);
    stored.read_dense(rows, dense);
    const SparseRows expected = rows_of(rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<float> row(static_cast<std::size_t>(kColumns));
      expected.expand(i, row);
      EXPECT_TRUE(
          std::equal(row.begin(), row.end(), dense.begin() + static_cast<std::ptrdiff_t>(i) * kColumns))
          << i;
    }
  }
}

TEST(FeatureFileReader, GivesBackWhatWasWritten) {
  const ScratchFolder scratch;
  const FeatureTable table = table_of(7);
  for (const FeatureType type : {FeatureType::kFloat32, FeatureType::kFloat16}) {
    const FeatureFileReader reader(written(scratch, table, type));
    const FeatureTable& read = reader.table();
    EXPECT_EQ(read.configuration.canonical_json(), table.configuration.canonical_json());
    EXPECT_EQ(read.tap, table.tap);
    EXPECT_EQ(read.pooling, table.pooling);
    EXPECT_EQ(read.class_names, table.class_names);
    EXPECT_EQ(read.labels, table.labels);
    EXPECT_EQ(read.paths, table.paths);
    EXPECT_EQ(read.splits, table.splits);
    EXPECT_EQ(read.groups, table.groups);
    EXPECT_EQ(read.keys, table.keys);
    const StoredRows rows = reader.rows();
    EXPECT_EQ(rows.count, 7U);
    EXPECT_EQ(rows.shape.size(), 512U);
    EXPECT_EQ(rows.layout.nonzeros, 14);
    EXPECT_EQ(rows.layout.segments.size(), 7U);
  }
}

TEST(FeatureFileReader, TheDigestIsThatOfTheValues) {
  const ScratchFolder scratch;
  FeatureTable table = table_of(3);
  const Sha256 digest = FeatureFileReader(written(scratch, table)).digest();
  table.labels[0] = 1;
  EXPECT_EQ(FeatureFileReader(written(scratch, table)).digest(), digest);
  EXPECT_NE(FeatureFileReader(written(scratch, table_of(4))).digest(), digest);
}

TEST(FeatureFileReader, ATableIsADatasetInWhichEveryRowIsUsed) {
  FeatureTable table = table_of(4);
  table.keys[3] = table.keys[0];
  const ExtractedDataset dataset = dataset_of(table);
  EXPECT_EQ(dataset.used, (std::vector<std::size_t>{0, 1, 2, 3}));
  EXPECT_TRUE(dataset.manifest.has_given_splits);
  EXPECT_EQ(dataset.manifest.samples[0].split, Split::kValidation);
  EXPECT_EQ(dataset.manifest.samples[1].split, Split::kTrain);
  EXPECT_EQ(dataset.manifest.samples[1].group, "twins");
  ASSERT_EQ(dataset.duplicates.size(), 1U);
  EXPECT_TRUE(dataset.duplicates.front().labels_differ);
}

struct Contradiction {
  std::string words;  ///< of the message
  std::function<void(FeatureTable&)> make;
};

TEST(FeatureFileReader, RefusesATableThatContradictsItself) {
  const std::vector<Contradiction> contradictions{
      {"labels: row 2 is 2, with 2 class_names", [](FeatureTable& table) { table.labels[2] = 2; }},
      {"labels: row 1 is -1", [](FeatureTable& table) { table.labels[1] = -1; }},
      {"class_names has 'cats' twice", [](FeatureTable& table) { table.class_names[1] = "cats"; }},
      {"split: row 1 is 'val'", [](FeatureTable& table) { table.splits[1] = "val"; }},
      {"split: row 2 is ''", [](FeatureTable& table) { table.splits[2] = ""; }},
      {"paths has 3 rows, features 4", [](FeatureTable& table) { table.paths.pop_back(); }},
      {"group has 3 rows, features 4", [](FeatureTable& table) { table.groups.pop_back(); }},
      {"sha256 is not 4 x 32", [](FeatureTable& table) { table.keys.pop_back(); }},
      {"map_shape is (7, 7, 511)", [](FeatureTable& table) { table.shape.channels = 511; }},
      {"features has 512 columns", [](FeatureTable& table) { table.pooling = Pooling::kFlatten; }},
  };
  for (const Contradiction& contradiction : contradictions) {
    const ScratchFolder scratch;
    FeatureTable table = table_of(4);
    contradiction.make(table);
    try {
      const FeatureFileReader reader(written(scratch, table));
      ADD_FAILURE() << "accepted, but: " << contradiction.words;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::kFailed);
      EXPECT_NE(std::string(error.what()).find(contradiction.words), std::string::npos) << error.what();
    }
  }
}

TEST(FeatureFileReader, NamesTheRowWithAValueThatIsNotFinite) {
  const ScratchFolder scratch;
  for (const float value :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    write_feature_file(scratch / "f.h5", table_of(4), kColumns, FeatureType::kFloat32,
                       [&](std::span<const RowIndex> rows) {
                         SparseRows matrix = rows_of(rows);
                         matrix.values[4] = value;
                         return matrix;
                       });
    try {
      const FeatureFileReader reader(scratch / "f.h5");
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("row 2 (dogs/2"), std::string::npos) << error.what();
    }
  }
}

TEST(FeatureFileReader, AnotherHdf5FileOrAnOlderTableIsOneLine) {
  const ScratchFolder scratch;
  { const hdf5::File file = test::made_on_disk(scratch / "other.h5"); }
  EXPECT_THROW(FeatureFileReader(scratch / "other.h5"), Error);
  EXPECT_THROW(FeatureFileReader(scratch / "missing.h5"), Error);
}

}  // namespace
}  // namespace headstart
