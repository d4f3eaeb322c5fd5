// tests/pipeline/commands/range_command_test.cpp: --range, as a user of 12-bit images in 16-bit files meets
// it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNote = "use less than a quarter of their range";

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

/// Two classes of three images of 12 bits, in files that could hold 16.
void write_images(const fs::path& folder) {
  for (const int label : {0, 1}) {
    const fs::path of_class = folder / (label == 0 ? "dark" : "light");
    fs::create_directories(of_class);
    for (int image = 0; image < 3; ++image) {
      std::ofstream file(of_class / (std::to_string(image) + ".pgm"));
      file << "P2 16 16 65535\n";
      for (int i = 0; i < 256; ++i) file << (label * 2000 + image * 100 + i * 7) % 4096 << '\n';
    }
  }
}

TEST(Range, IsAskedForOnceAndThenGoesWithTheModel) {
  const ScratchFolder scratch;
  write_images(scratch / "images");
  const auto run = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> all{"train",    (scratch / "images").string(),
                                 "-o",       (scratch / out).string(),
                                 "--cache",  (scratch / "cache").string(),
                                 "--epochs", "1",
                                 "--hidden", "0"};
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = headstart_process(all);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.err;
  };
  const std::string usual = run("usual", {});
  EXPECT_EQ(count(usual, kNote), 1U) << usual;
  EXPECT_EQ(count(usual, "6 images of more than 8 bits"), 1U) << usual;
  EXPECT_EQ(count(run("mapped", {"--range", "0:4095"}), kNote), 0U);

  const std::string fingerprint = metrics_of(scratch / "mapped")["fingerprint"];
  EXPECT_NE(metrics_of(scratch / "usual")["fingerprint"], fingerprint);
  EXPECT_NE(
      read_text((scratch / "cache" / fingerprint / "extractor.json").string()).find(R"("range":"0:4095")"),
      std::string::npos);
  // The run again from its file, and predictions by the model, find its rows.
  const ProcessResult again = headstart_process(
      {"train", "--config", (scratch / "mapped/config.toml").string(), "-o", (scratch / "again").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(metrics_of(scratch / "again")["images"]["cache_hits"], 6);
  const ProcessResult predicted =
      headstart_process({"predict", (scratch / "mapped/model.h5").string(), (scratch / "images").string(),
                         "--cache", (scratch / "cache").string(), "--verbose"});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  EXPECT_EQ(count(predicted.err, "engine: "), 0U) << "all rows are cached: " << predicted.err;
}

TEST(Range, AWrongOneIsNamed) {
  const ProcessResult result = headstart_process({"extract", "x", "--range", "4095:0"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("--range: is '4095:0', needed numbers like 0:4095"), std::string::npos)
      << result.err;
}

}  // namespace
}  // namespace headstart::test
