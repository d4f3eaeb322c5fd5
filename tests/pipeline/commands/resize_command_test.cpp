// tests/pipeline/commands/resize_command_test.cpp: --resize, --crop-share and --antialias go with cache and
// model.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

TEST(ResizeOption, GoesWithTheModel) {
  const ScratchFolder scratch;
  copy_samples(scratch / "images", {"birds", "music"}, 4);
  const std::string images = (scratch / "images").string();
  const std::string cache = (scratch / "cache").string();
  const std::vector<std::string> train{"train",    images, "--cache",      cache, "--epochs", "1",
                                       "--hidden", "0",    "--input-size", "32",  "-o"};
  const auto run = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> all = train;
    all.push_back((scratch / out).string());
    all.insert(all.end(), more.begin(), more.end());
    const ProcessResult result = headstart_process(all);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  };
  run("usual", {});
  run("cropped",
      {"--resize", "shorter-side", "--crop-share", "0.875", "--interpolation", "bicubic", "--antialias"});
  const std::string fingerprint = metrics_of(scratch / "cropped")["fingerprint"];
  EXPECT_NE(metrics_of(scratch / "usual")["fingerprint"], fingerprint);
  const std::string extractor = read_text((scratch / "cache" / fingerprint / "extractor.json").string());
  for (const char* const part : {R"("antialias":true)", R"("crop_share":0.875)",
                                 R"("interpolation":"bicubic")", R"("resize":"shorter-side")"}) {
    EXPECT_NE(extractor.find(part), std::string::npos) << part << " in " << extractor;
  }
  const ProcessResult predicted = headstart_process(
      {"predict", (scratch / "cropped/model.h5").string(), images, "--cache", cache, "--verbose"});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  EXPECT_EQ(predicted.err.find("engine: "), std::string::npos) << "all rows are cached: " << predicted.err;
}

TEST(ResizeOption, ACropShareWithoutItsModeIsNamed) {
  const ScratchFolder scratch;
  copy_samples(scratch / "images", {"birds", "music"}, 4);
  const std::string images = (scratch / "images").string();
  const ProcessResult result = headstart_process(
      {"extract", images, "--cache", (scratch / "cache").string(), "--crop-share", "0.875"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("--crop-share with --resize stretch"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace headstart::test
