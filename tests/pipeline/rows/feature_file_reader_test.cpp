// tests/pipeline/rows/feature_file_reader_test.cpp: what was written comes back from either storage; a file
// that contradicts itself is refused before anything is trained on it. Files of h5py and NumPy:
// tests/interop.
#include "pipeline/rows/feature_file_reader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/error.hpp"
#include "data/sha256.hpp"
#include "pipeline/process/write_file.hpp"
#include "tests/features/hdf5/hdf5_on_disk.hpp"
#include "tests/support/process.hpp"
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
                 FeatureType type = FeatureType::kFloat32, const char* name = "f.h5") {
  fs::path file = scratch / name;
  write_feature_file(file, table, kColumns, type, rows_of);
  return file;
}

// In any order, with gaps and repetitions, dense and sparse.
TEST(FeatureFileReader, ReadsRowsInTheOrderAskedFor) {
  const ScratchFolder scratch;
  for (const auto& [name, type] :
       {std::pair{"f.h5", FeatureType::kFloat32}, std::pair{"f.h5", FeatureType::kFloat16},
        std::pair{"f.npy", FeatureType::kFloat32}, std::pair{"f.npy", FeatureType::kFloat16}}) {
    const FeatureFileReader reader(written(scratch, table_of(30), type, name));
    const StoredRows stored = reader.rows();
    for (const std::vector<RowIndex>& rows :
         {std::vector<RowIndex>{3, 4, 5, 6}, std::vector<RowIndex>{6, 5, 4},
          std::vector<RowIndex>{7, 7, 8, 2, 29, 0}, std::vector<RowIndex>{0, 2, 4, 5, 6, 9},
          std::vector<RowIndex>{}}) {
      const SparseRows expected = rows_of(rows);
      EXPECT_EQ(stored.read(rows), expected);
      std::vector<float> dense(rows.size() * static_cast<std::size_t>(kColumns), -1.0F);
      stored.read_dense(rows, dense);
      for (std::size_t i = 0; i < rows.size(); ++i) {
        std::vector<float> row(static_cast<std::size_t>(kColumns));
        expected.expand(i, row);
        EXPECT_TRUE(
            std::equal(row.begin(), row.end(), dense.begin() + static_cast<std::ptrdiff_t>(i) * kColumns))
            << i;
      }
    }
  }
}

TEST(FeatureFileReader, GivesBackWhatWasWritten) {
  const ScratchFolder scratch;
  FeatureTable table = table_of(7);
  table.class_names = {"cats", "dogs, \"small\"\n", "no image"};
  table.paths[3] = "dogs/a,b\n\"c\".jpg";
  for (const auto& [name, type] :
       {std::pair{"f.h5", FeatureType::kFloat32}, std::pair{"f.h5", FeatureType::kFloat16},
        std::pair{"f.npy", FeatureType::kFloat32}, std::pair{"f.npy", FeatureType::kFloat16}}) {
    const FeatureFileReader reader(written(scratch, table, type, name));
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
  EXPECT_EQ(FeatureFileReader(written(scratch, table, FeatureType::kFloat32, "f.npy")).digest(), digest);
}

TEST(FeatureFileReader, TheDigestOfManyPartsIsThatOfAllValues) {
  const ScratchFolder scratch;
  constexpr int kRows = 70'000;  // 143 MB: more than two of the parts that are read and hashed in turn
  FeatureTable table = table_of(kRows);
  write_feature_file(scratch / "f.npy", table, kColumns, FeatureType::kFloat32,
                     [](std::span<const RowIndex> rows) {
                       SparseRows matrix;
                       matrix.columns = kColumns;
                       matrix.indptr = {0};
                       for (const RowIndex row : rows) {
                         matrix.indices.push_back(row % 512);
                         matrix.values.push_back(static_cast<float>(row + 1));
                         matrix.indptr.push_back(static_cast<std::int64_t>(matrix.values.size()));
                       }
                       return matrix;
                     });
  Sha256Stream expected;
  std::vector<float> values(kColumns);
  for (int row = 0; row < kRows; ++row) {
    const auto column = static_cast<std::size_t>(row % 512);
    values[column] = static_cast<float>(row + 1);
    expected.update(std::as_bytes(std::span(values)));
    values[column] = 0.0F;
  }
  const FeatureFileReader reader(scratch / "f.npy");
  EXPECT_EQ(reader.digest(), expected.finish());
  EXPECT_EQ(reader.rows().layout.nonzeros, kRows);
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

/// `text` in place of the only `old` in `file`.
void replace_in(const fs::path& file, const std::string& old, const std::string& text) {
  std::string content = test::read_text(file.string());
  const std::size_t at = content.find(old);
  ASSERT_NE(at, std::string::npos) << old << " is not in " << content;
  ASSERT_EQ(at, content.rfind(old)) << old << " is twice in " << content;
  write_file(file, std::string_view(content.replace(at, old.size(), text)));
}

struct NpyContradiction {
  const char* words;  ///< of the message
  const char* file;
  std::string old;
  std::string text;
};

TEST(FeatureFileReader, RefusesFilesBesideANpyFileThatContradictIt) {
  const std::string digest = table_of(4).keys[1].hex();
  const std::vector<NpyContradiction> contradictions{
      {"labels.csv: has no column 'split'", "labels.csv", "path,label,split", "path,label,part"},
      {"labels.csv: has two columns 'path'", "labels.csv", "path,label,split,group", "path,label,split,path"},
      {"labels.csv: line 3: label 'mice' is none of the 2 class_names", "labels.csv", ",dogs,train,twins",
       ",mice,train,twins"},
      {"split: row 1 is 'val'", "labels.csv", ",dogs,train,twins", ",dogs,val,twins"},
      {"labels.csv: line 3: sha256 '' is not 64", "labels.csv", digest, ""},
      {"labels.csv: line 3: 6 fields", "labels.csv", digest, digest + ",1"},
      {"labels has 3 rows, features 4", "labels.csv", "dogs/1 \u00e9.jpg,dogs,train,twins," + digest + "\n",
       ""},
      {"labels.csv: line 6: more rows than the features", "labels.csv",
       "dogs/1 \u00e9.jpg,dogs,train,twins," + digest + "\n",
       "a,dogs,train,," + digest + "\nb,dogs,train,," + digest + "\n"},
      {"labels.csv: has no header", "labels.csv", "", ""},
      {"f.json: is of no table", "f.json", "headstart features", "a list"},
      {"f.json: format_version is not 1", "f.json", "\"format_version\": 1,\n  \"extractor",
       "\"format_version\": 2,\n  \"extractor"},
      {"'tap' not found", "f.json", "\"tap\"", "\"top\""},
      {"tap is 'block9_pool'", "f.json", "block5_pool", "block9_pool"},
      {"pooling is 'min'", "f.json", "\"pooling\": \"max\"", "\"pooling\": \"min\""},
      {"map_shape is (7, 512)", "f.json", "7,\n    512", "512"},
      {"f.json: ", "f.json", "7,\n    512", "7.5,\n    512"},
      {"extractor is", "f.json", "\"input_size\": 224", "\"input_size\": 1e99"},
      {"class_names has 'cats' twice", "f.json", "\"dogs\"", "\"cats\", \"dogs\""},
      {"f.json: ", "f.json", "\"class_names\": [", "\"class_names\": [[],"},
      {"f.json: ", "f.json", "{\n  \"format\"", "[{\n  \"format\""},
  };
  for (const NpyContradiction& contradiction : contradictions) {
    const ScratchFolder scratch;
    const fs::path file = written(scratch, table_of(4), FeatureType::kFloat32, "f.npy");
    if (contradiction.old.empty())
      write_file(scratch / contradiction.file, std::string_view("\n"));
    else
      replace_in(scratch / contradiction.file, contradiction.old, contradiction.text);
    try {
      const FeatureFileReader reader(file);
      ADD_FAILURE() << "accepted, but: " << contradiction.words;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::kFailed);
      EXPECT_NE(std::string(error.what()).find(contradiction.words), std::string::npos)
          << error.what() << ", but: " << contradiction.words;
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    }
  }
}

TEST(FeatureFileReader, ReadsAnEditedLabelsFile) {
  const ScratchFolder scratch;
  const FeatureTable table = table_of(2);
  const fs::path file = written(scratch, table, FeatureType::kFloat32, "f.npy");
  // As pandas writes it: with an index, in another order, without groups.
  write_file(scratch / "labels.csv", std::string_view(",sha256,split,label,path\r\n0," + table.keys[0].hex() +
                                                      ",test,dogs,a.jpg\r\n1," + table.keys[1].hex() +
                                                      ",train,cats,\"b,c.jpg\"\r\n"));
  const FeatureFileReader reader(file);
  EXPECT_EQ(reader.table().labels, (std::vector<std::int32_t>{1, 0}));
  EXPECT_EQ(reader.table().paths, (std::vector<std::string>{"a.jpg", "b,c.jpg"}));
  EXPECT_EQ(reader.table().splits, (std::vector<std::string>{"test", "train"}));
  EXPECT_EQ(reader.table().groups, (std::vector<std::string>{"", ""}));
  EXPECT_EQ(reader.table().keys, table.keys);
}

TEST(FeatureFileReader, AMissingFileBesideANpyFileIsOneLine) {
  for (const char* missing : {"labels.csv", "f.json", "f.npy"}) {
    const ScratchFolder scratch;
    const fs::path file = written(scratch, table_of(3), FeatureType::kFloat32, "f.npy");
    fs::remove(scratch / missing);
    try {
      const FeatureFileReader reader(file);
      ADD_FAILURE() << "read without " << missing;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(missing), std::string::npos) << error.what();
    }
  }
  const ScratchFolder scratch;
  ASSERT_EQ(mkfifo((scratch / "fifo.npy").c_str(), 0600), 0);
  EXPECT_THROW(FeatureFileReader(scratch / "fifo.npy"), Error);  // and does not wait for a writer
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
