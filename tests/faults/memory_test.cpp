// tests/faults/memory_test.cpp: `headstart extract` under a hard memory limit: thousands of small images, and
// a few that fill a good part of the limit each.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/image/jpeg.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

/// A JPEG of 100 megapixels, 300 MB once it is decoded.
std::string large_jpeg() {
  constexpr int kSide = 10'000;
  const RgbImage grey{kSide, kSide, std::vector<std::uint8_t>(std::size_t{kSide} * kSide * 3, 99)};
  const std::vector<std::byte> jpeg = encode_jpeg(grey, 90);
  return {reinterpret_cast<const char*>(jpeg.data()), jpeg.size()};
}

void write(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

TEST(MemoryLimit, HoldsForThousandsOfImagesAndForHugeOnes) {
  HEADSTART_ONLY_NIGHTLY();
  constexpr int kSmall = 5000;
  constexpr int kLarge = 6;
  constexpr std::size_t kBytes = std::size_t{1800} << 20;
  const ScratchFolder scratch;
  const fs::path folder = scratch / "dataset";
  for (const char* name : {"huge", "small"}) fs::create_directories(folder / name);
  for (int i = 0; i < kSmall; ++i) {
    std::string ppm = "P6 8 8 255\n" + std::string(std::size_t{8} * 8 * 3, static_cast<char>(i % 256));
    ppm.back() = static_cast<char>(i / 256);
    write(folder / "small" / (std::to_string(i) + ".ppm"), ppm);
  }
  const std::string jpeg = large_jpeg();
  for (int i = 0; i < kLarge; ++i)  // bytes behind the image's end make each a file of its own
    write(folder / "huge" / (std::to_string(i) + ".jpg"), jpeg + std::to_string(i));
  ProcessOptions limited;
  limited.environment = {{"MALLOC_ARENA_MAX", "2"}};  // an arena reserves addresses for each thread
  limited.before_exec = [] {
    const rlimit limit{kBytes, kBytes};  // of addresses, libraries included
    setrlimit(RLIMIT_AS, &limit);
  };
  const ProcessResult result =
      headstart_process({"extract", folder.string(), "--cache", (scratch / "cache").string(), "--input-size",
                         "32", "--engine", "native", "--threads", "8"},
                        limited);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find(std::to_string(kSmall + kLarge) + " computed, 0 rejected"), std::string::npos)
      << result.out << result.err;
}

}  // namespace
}  // namespace headstart::test
