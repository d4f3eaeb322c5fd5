// tests/pipeline/rows/feature_file_test.cpp: features.h5 by headstart's HDF5 layer; tests/interop reads it
// with h5py.
#include "pipeline/rows/feature_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmath>
#include <future>
#include <string>

#include "data/error.hpp"
#include "features/hdf5/hdf5.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using test::ScratchFolder;

constexpr std::int64_t kFileColumns = 5;

/// Row r has r + 0.5 in column r % 5, and nothing else.
SparseRows file_rows_of(std::span<const RowIndex> rows) {
  SparseRows matrix;
  matrix.columns = kFileColumns;
  matrix.indptr = {0};
  for (const RowIndex row : rows) {
    matrix.indices.push_back(static_cast<std::int32_t>(row % kFileColumns));
    matrix.values.push_back(static_cast<float>(row) + 0.5F);
    matrix.indptr.push_back(static_cast<std::int64_t>(matrix.values.size()));
  }
  return matrix;
}

FeatureTable file_table_of(int rows) {
  FeatureTable table;
  table.shape = {1, 1, kFileColumns};
  table.class_names = {"cats", "dogs \u00e9"};
  for (int row = 0; row < rows; ++row) {
    table.labels.push_back(row % 2);
    table.paths.push_back("dogs/" + std::to_string(row) + ".jpg");
    table.splits.emplace_back(row % 3 == 0 ? "validation" : "train");
    table.groups.emplace_back();
    table.keys.push_back(sha256(table.paths.back()));
  }
  return table;
}

TEST(FeatureFile, HoldsWhatItWasGiven) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "features.h5";
  const FeatureTable table = file_table_of(7);
  for (const FeatureType type : {FeatureType::kFloat32, FeatureType::kFloat16}) {
    write_feature_file(file, table, kFileColumns, type, file_rows_of);  // and replaces the one before
    const hdf5::File opened = hdf5::open_file(file);
    EXPECT_EQ(hdf5::extents(opened.id(), "features"), (hdf5::Extents{7, kFileColumns}));
    const std::vector<float> features = hdf5::read<float>(opened.id(), "features", 1000);
    for (std::size_t row = 0; row < 7; ++row) {
      for (std::size_t column = 0; column < 5; ++column)
        EXPECT_EQ(features[row * 5 + column], column == row % 5 ? static_cast<float>(row) + 0.5F : 0.0F);
    }
    EXPECT_EQ(hdf5::read<std::int32_t>(opened.id(), "labels", 1000), table.labels);
    EXPECT_EQ(hdf5::read<std::uint8_t>(opened.id(), "sha256", 1000).size(), 7U * 32U);
    EXPECT_EQ(hdf5::read_string(opened.id(), "pooling"), "flatten");
    EXPECT_EQ(hdf5::read_string(opened.id(), "extractor"), table.configuration.canonical_json());
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), {}), 1) << "nothing unfinished is left";
}

TEST(FeatureFile, Float16IsTheNearestHalf) {
  const ScratchFolder scratch;
  // 3.9992 is nearer to 4, a power of two up, than to anything below.
  const std::vector<float> values{3.9992F, 1.0F / 3.0F, 1234.567F, 65504.0F, 6.2e-5F};
  write_feature_file(
      scratch / "f.h5", file_table_of(1), kFileColumns, FeatureType::kFloat16,
      [&](std::span<const RowIndex>) {
        return SparseRows{kFileColumns, {0, 5}, {0, 1, 2, 3, 4}, {values.begin(), values.end()}};
      });
  const std::vector<float> read = hdf5::read<float>(hdf5::open_file(scratch / "f.h5").id(), "features", 1000);
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_LE(std::abs(read[i] / values[i] - 1.0F), std::ldexp(1.0F, -11)) << values[i];
  EXPECT_EQ(read[0], 4.0F);
}

TEST(FeatureFile, Float16BelowItsNormalNumbersIsTheNearestMultiple) {
  const ScratchFolder scratch;
  const float step = std::ldexp(1.0F, -24);
  const std::vector<float> values{step * 3.4F, step * 3.6F, step * 0.4F, step * 2.5F, step * 1023.7F};
  write_feature_file(
      scratch / "f.h5", file_table_of(1), kFileColumns, FeatureType::kFloat16,
      [&](std::span<const RowIndex>) {
        return SparseRows{kFileColumns, {0, 5}, {0, 1, 2, 3, 4}, {values.begin(), values.end()}};
      });
  EXPECT_EQ(hdf5::read<float>(hdf5::open_file(scratch / "f.h5").id(), "features", 1000),
            (std::vector<float>{step * 3, step * 4, 0.0F, step * 2, step * 1024}));
}

TEST(FeatureFile, WhatDoesNotFitFloat16IsNamedAndLeavesTheOldFile) {
  const ScratchFolder scratch;
  const fs::path file = scratch / "f.h5";
  write_feature_file(file, file_table_of(2), kFileColumns, FeatureType::kFloat32, file_rows_of);
  const auto before = fs::last_write_time(file);
  try {
    write_feature_file(file, file_table_of(3), kFileColumns, FeatureType::kFloat16,
                       [](std::span<const RowIndex> rows) {
                         SparseRows matrix = file_rows_of(rows);
                         matrix.values[2] = 70000.0F;
                         return matrix;
                       });
    FAIL() << "an infinity was written";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kData);
    EXPECT_NE(std::string(error.what()).find("dogs/2.jpg"), std::string::npos) << error.what();
  }
  EXPECT_EQ(fs::last_write_time(file), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path()), {}), 1);
}

TEST(FeatureFile, APlaceThatCannotBeWrittenIsOneLine) {
  EXPECT_THROW(write_feature_file("/proc/headstart/f.h5", file_table_of(1), kFileColumns,
                                  FeatureType::kFloat32, file_rows_of),
               Error);
}

TEST(FeatureFile, AFifoIsWrittenWhereItIs) {
  const ScratchFolder scratch;
  const auto write = [](const fs::path& file) {
    write_feature_file(file, file_table_of(4), kFileColumns, FeatureType::kFloat32, file_rows_of);
  };
  write(scratch / "plain.h5");
  const fs::path fifo = scratch / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::future<std::string> read =
      std::async(std::launch::async, [&] { return test::read_text(fifo.string()); });
  write(fifo);
  ASSERT_TRUE(fs::is_fifo(fifo));
  EXPECT_TRUE(read.get() == test::read_text((scratch / "plain.h5").string()));
}

TEST(FeatureFile, ADeviceWithoutRoomIsOneLineAndStays) {
  const ScratchFolder scratch;
  const fs::path full = scratch / "full";
  if (mknod(full.c_str(), S_IFCHR | 0666, makedev(1, 7)) != 0) GTEST_SKIP() << "only root makes devices";
  try {
    write_feature_file(full, file_table_of(4), kFileColumns, FeatureType::kFloat32, file_rows_of);
    ADD_FAILURE() << "written";
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "cannot write: " + full.string() +
                                ": No space left on device: make room or name another place");
  }
  EXPECT_TRUE(fs::is_character_file(full));
}

}  // namespace
}  // namespace headstart
