// benchmarks/cache.cpp: benchmark_cache FOLDER [ROWS]: how long a cache of so many rows (default 1,000,000;
// 15 GB) takes to open, and how much memory, with its index and without. Fills FOLDER with made-up segments
// of block5_pool's size and density first, unless they are there, and leaves them. Each measurement is a
// process of its own, so that its peak memory is its own.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>

#include "features/cache/cache.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kColumns = 25'088;
constexpr std::int64_t kSpacing = 13;  // one activation of so many is not zero: 7.7 %, as on real images
constexpr std::int64_t kRowsOfSegment = 4'340;  // 64 MiB

Sha256 key_of(std::int64_t row) { return sha256(std::to_string(row)); }

void append_made_up_row(std::int64_t row, SparseRows& rows) {
  std::minstd_rand random(static_cast<std::uint32_t>(row + 1));
  for (std::int64_t column = 0; column + kSpacing <= kColumns; column += kSpacing) {
    const auto drawn = static_cast<std::uint32_t>(random());
    rows.indices.push_back(static_cast<std::int32_t>(column + drawn % kSpacing));
    rows.values.push_back(1.0F + static_cast<float>(drawn % 1000U));
  }
  rows.indptr.push_back(static_cast<std::int64_t>(rows.values.size()));
}

FeatureCache open(const fs::path& folder) {
  return {folder, ExtractorConfiguration{}, Tap{"block5_pool"},
          [](const std::string& line) { throw std::runtime_error(line); }};
}

void fill(const fs::path& folder, std::int64_t rows) {
  FeatureCache cache = open(folder);
  for (std::int64_t first = 0; first < rows; first += kRowsOfSegment) {
    const std::int64_t end = std::min(rows, first + kRowsOfSegment);
    if (cache.contains(key_of(first)) && cache.contains(key_of(end - 1))) continue;
    Segment segment;
    segment.shape = tap_shape(vgg16(), Tap{"block5_pool"}, ExtractorConfiguration{}.resize.size);
    segment.rows.columns = kColumns;
    segment.origin = {"made up", "1", "1", "none"};
    for (std::int64_t row = first; row < end; ++row) {
      segment.keys.push_back(key_of(row));
      append_made_up_row(row, segment.rows);
    }
    if (!cache.publish(segment)) throw std::runtime_error("cannot write into " + folder.string());
  }
}

/// Every row is found, and a thousand of them are read and right.
void check(FeatureCache& cache, std::int64_t rows) {
  if (cache.rows() != static_cast<std::size_t>(rows)) throw std::runtime_error("rows are missing");
  std::vector<Sha256> keys;
  SparseRows expected;
  expected.columns = kColumns;
  for (std::int64_t row = 0; row < std::min<std::int64_t>(rows, 1000); ++row) {
    keys.push_back(key_of(row));
    append_made_up_row(row, expected);
  }
  if (cache.read(keys) != expected) throw std::runtime_error("a row is wrong");
}

/// Runs `work`, which returns seconds, in a process of its own and prints them with its peak memory.
void measure(const std::string& what, const std::function<double()>& work) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    try {
      const double seconds = work();
      rusage usage{};
      getrusage(RUSAGE_SELF, &usage);
      fmt::print("{:<44} {:8.2f} s   peak memory {:7.1f} MB\n", what, seconds,
                 static_cast<double>(usage.ru_maxrss) * 1024 / 1e6);
      std::fflush(stdout);
      _exit(0);
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}: {}\n", what, error.what());
      _exit(1);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error(what + " failed");
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void run(const fs::path& folder, std::int64_t rows) {
  measure("fill, where rows are missing", [&] {
    const Clock::time_point start = Clock::now();
    fill(folder, rows);
    return seconds_since(start);
  });
  fs::remove(folder / ExtractorConfiguration{}.fingerprint() / "block5_pool" / "index");
  measure("open without the index, and write it", [&] {
    const Clock::time_point start = Clock::now();
    FeatureCache cache = open(folder);
    cache.save_index();
    const double seconds = seconds_since(start);
    check(cache, rows);
    return seconds;
  });
  measure("open with the index", [&] {
    const Clock::time_point start = Clock::now();
    const FeatureCache cache = open(folder);
    return seconds_since(start);
  });
  measure("open with the index and look up every key", [&] {
    const Clock::time_point start = Clock::now();
    const FeatureCache cache = open(folder);
    for (std::int64_t row = 0; row < rows; ++row) {
      if (!cache.contains(key_of(row))) throw std::runtime_error("a key is missing");
    }
    return seconds_since(start);
  });
  measure("the same, and 1,000 rows read and compared", [&] {
    const Clock::time_point start = Clock::now();
    FeatureCache cache = open(folder);
    check(cache, rows);
    return seconds_since(start);
  });
}

}  // namespace
}  // namespace headstart

int main(int argc, char** argv) {
  try {
    if (argc < 2 || argc > 3) throw std::invalid_argument("usage: benchmark_cache FOLDER [ROWS]");
    const std::int64_t rows = argc > 2 ? std::stoll(argv[2]) : 1'000'000;
    fmt::print("{} rows of 25088 activations, 7.7 % not zero\n", rows);
    headstart::run(argv[1], rows);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "benchmark_cache: {}\n", error.what());
    return 1;
  }
}
