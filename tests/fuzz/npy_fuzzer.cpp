// tests/fuzz/npy_fuzzer.cpp: bytes given to the reader of .npy files end as a matrix whose values can all be
// read, or as one line of error. The files beside it are JSON and CSV, whose readers labels_csv_fuzzer and
// nlohmann's own fuzzers cover.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "data/error.hpp"
#include "pipeline/rows/npy_matrix.hpp"
#include "tests/fuzz/expect.hpp"
#include "tests/fuzz/named_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using headstart::fuzz::expect;
  const headstart::fuzz::NamedFile file("npy", std::as_bytes(std::span(data, size)));
  try {
    const headstart::NpyMatrix matrix(file.path());
    const std::uint64_t rows = matrix.rows();
    const std::uint64_t columns = matrix.columns();
    expect(columns == 0 || rows <= size / columns, "a matrix is no larger than its file");
    std::vector<float> values(rows * columns);
    matrix.read(0, values);
    if (values.empty()) return 0;
    std::vector<float> last(columns);
    matrix.read(rows - 1, last);
  } catch (const headstart::Error& error) {
    expect(error.what() == headstart::printable(error.what()), "an error is one line");
  }
  return 0;
}
