// tests/pipeline/rows/npy_matrix_test.cpp: values of each type from any row on; a file that shrinks is an
// error.
#include "pipeline/rows/npy_matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/error.hpp"
#include "features/float16.hpp"
#include "pipeline/process/write_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::ScratchFolder;

constexpr std::size_t kNpyRows = 5000;
constexpr std::size_t kNpyColumns = 3;

/// Value i is i / 4 - 100, in `descr`.
template <typename T>
std::filesystem::path written_npy(const ScratchFolder& scratch, std::string_view descr) {
  std::vector<T> values;
  for (std::size_t i = 0; i < kNpyRows * kNpyColumns; ++i)
    values.push_back(T(static_cast<float>(i) / 4 - 100));
  std::string header = npy_header(FeatureType::kFloat32, kNpyRows, kNpyColumns);
  header.replace(header.find("<f4"), 3, descr);
  std::filesystem::path file = scratch / "values.npy";
  write_file(file, [&](const WriteBytes& write) {
    write(std::as_bytes(std::span(header)));
    write(std::as_bytes(std::span(values)));
  });
  return file;
}

/// Exact for the values above up to 412, which are the first 2,048.
struct Half : Float16 {
  explicit Half(float value) : Float16(to_float16(value)) {}
};

void expect_values(const NpyMatrix& matrix, std::size_t first, std::size_t rows) {
  ASSERT_EQ(matrix.columns(), kNpyColumns);
  std::vector<float> values(rows * kNpyColumns);
  matrix.read(first, values);
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(values[i], static_cast<float>(first * kNpyColumns + i) / 4 - 100) << i;
}

TEST(NpyMatrix, ReadsEachTypeFromAnyRow) {
  const ScratchFolder scratch;
  const NpyMatrix singles(written_npy<float>(scratch, "<f4"));
  EXPECT_EQ(singles.rows(), kNpyRows);
  expect_values(singles, 0, kNpyRows);
  expect_values(singles, kNpyRows - 2, 2);
  const NpyMatrix doubles(written_npy<double>(scratch, "<f8"));
  expect_values(doubles, 0, kNpyRows);  // more than is converted at once
  expect_values(doubles, 17, 3);
  const NpyMatrix halves(written_npy<Half>(scratch, "<f2"));
  expect_values(halves, 0, 600);
  expect_values(halves, 17, 3);
}

TEST(NpyMatrix, ADoubleBeyondFloat32IsInfinite) {
  const ScratchFolder scratch;
  std::string content = npy_header(FeatureType::kFloat32, 1, 1);
  content.replace(content.find("<f4"), 3, "<f8");
  const double value = -1e300;
  content.append(reinterpret_cast<const char*>(&value), sizeof(value));
  write_file(scratch / "f.npy", std::string_view(content));
  std::vector<float> read(1);
  NpyMatrix(scratch / "f.npy").read(0, read);
  EXPECT_TRUE(std::isinf(read.front()));
}

TEST(NpyMatrix, AFileThatShrinksIsOneLine) {
  const ScratchFolder scratch;
  const std::filesystem::path file = written_npy<float>(scratch, "<f4");
  const NpyMatrix matrix(file);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 4);
  std::vector<float> values(kNpyColumns);
  matrix.read(0, values);
  try {
    matrix.read(kNpyRows - 1, values);
    ADD_FAILURE() << "read";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("shrank while it was read"), std::string::npos) << error.what();
  }
}

TEST(NpyMatrix, AFolderAndAMissingFileAreOneLine) {
  const ScratchFolder scratch;
  std::filesystem::create_directory(scratch / "folder.npy");
  EXPECT_THROW(NpyMatrix(scratch / "folder.npy"), Error);
  EXPECT_THROW(NpyMatrix(scratch / "missing.npy"), Error);
  write_file(scratch / "empty.npy", std::string_view());
  EXPECT_THROW(NpyMatrix(scratch / "empty.npy"), Error);
}

}  // namespace
}  // namespace headstart
