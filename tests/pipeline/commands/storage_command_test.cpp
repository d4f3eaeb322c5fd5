// tests/pipeline/commands/storage_command_test.cpp: --storage float16, as a user meets it: rows of their own,
// the same bytes whether they were cached before or not, and a model that knows how its features were stored.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& word) {
  return text.find(word) != std::string::npos;
}

/// The shared run with float16 rows and a view of each training image, made when it is first asked for: once
/// into an empty cache, and once into what that left.
class Storage : public testing::Test {
 protected:
  static const fs::path& folder() {
    static const ScratchFolder scratch;
    static const fs::path folder = [] {
      for (const char* const out : {"cold", "warm"}) {
        const ProcessResult result = headstart_process(arguments(scratch.path(), out));
        EXPECT_EQ(result.exit_code, 0) << result.err;
      }
      return scratch.path();
    }();
    return folder;
  }
  static std::vector<std::string> arguments(const fs::path& scratch, const std::string& out,
                                            const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = shared_arguments(
        scratch / out, {"--storage", "float16", "--views", "1", "--cache", (scratch / "cache").string()});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  [[nodiscard]] static std::string path(const std::string& name) { return (folder() / name).string(); }
};

TEST_F(Storage, AColdAndAWarmCacheGiveTheSameBytes) {
  HEADSTART_ONLY_NIGHTLY();
  EXPECT_EQ(metrics_of(folder() / "cold")["images"]["cache_misses"], 24);
  EXPECT_EQ(metrics_of(folder() / "warm")["images"]["cache_hits"], 24);
  EXPECT_EQ(metrics_of(folder() / "warm")["views"]["cache_hits"], 18);
  expect_same_bytes(folder() / "warm", folder() / "cold");
  EXPECT_TRUE(contains(read_text(path("cold/report.html")), "stored as float16"));
}

TEST_F(Storage, HasAFingerprintOfItsOwnAndFloat32KeepsTheOldOne) {
  const std::string halves = metrics_of(folder() / "cold")["fingerprint"];
  const std::string floats = metrics_of(shared_run().out)["fingerprint"];
  EXPECT_NE(halves, floats);
  EXPECT_TRUE(contains(read_text(path("cache/" + halves + "/extractor.json")), "\"storage\":\"float16\""));
  EXPECT_FALSE(contains(read_text((shared_run().cache / floats / "extractor.json").string()), "storage"));
}

TEST_F(Storage, ConfigTomlRepeatsTheRun) {
  const std::string config = path("cold/config.toml");
  EXPECT_TRUE(contains(read_text(config), "storage = \"float16\"")) << read_text(config);
  const ProcessResult again = headstart_process({"train", "--config", config, "-o", path("again")});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  expect_same_bytes(folder() / "again", folder() / "cold");
}

TEST_F(Storage, WindowsGiveTheBytesOfRowsInMemory) {
  const std::vector<std::string> primal{"--solver", "primal", "--validation", "0"};
  std::vector<std::string> windows = primal;
  windows.insert(windows.end(), {"--window", "48"});
  ASSERT_EQ(headstart_process(arguments(folder(), "memory", primal)).exit_code, 0);
  ASSERT_EQ(headstart_process(arguments(folder(), "window", windows)).exit_code, 0);
  expect_same_bytes(folder() / "window", folder() / "memory");
}

TEST_F(Storage, TheModelFindsItsRowsInEvaluateAndPredict) {
  const std::string model = path("cold/model.h5");
  const ProcessResult evaluated = headstart_process(
      {"evaluate", model, shared_run().dataset.string(), "--cache", path("cache"), "--json", path("e.json")});
  ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
  EXPECT_TRUE(contains(evaluated.err, "24 from the cache, 0 computed")) << evaluated.err;
  // Into an empty cache: what it then holds is float16, and the probabilities are those of the training run.
  const ProcessResult predicted =
      headstart_process({"predict", model, shared_run().dataset.string(), "--cache", path("other")});
  ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
  const ProcessResult warm =
      headstart_process({"predict", model, shared_run().dataset.string(), "--cache", path("cache")});
  EXPECT_EQ(predicted.out, warm.out);
  EXPECT_TRUE(fs::exists(folder() / "other" / std::string(metrics_of(folder() / "cold")["fingerprint"])));
}

TEST_F(Storage, TheCacheCommandsKnowIt) {
  const std::string cache = path("cache");
  const ProcessResult list = headstart_process({"cache", "list", "--cache", cache});
  EXPECT_TRUE(contains(list.out, "stored as") && contains(list.out, "float16")) << list.out;
  EXPECT_FALSE(contains(list.out, "float32")) << list.out;
  EXPECT_EQ(headstart_process({"cache", "verify", "--cache", cache}).exit_code, 0);
  const ProcessResult compact = headstart_process({"cache", "compact", "--cache", cache});
  EXPECT_EQ(compact.exit_code, 0) << compact.err;
  EXPECT_EQ(headstart_process({"cache", "verify", "--cache", cache}).exit_code, 0);
  const ProcessResult extracted = headstart_process(
      {"extract", shared_run().dataset.string(), "--cache", cache, "--storage", "float16", "--views", "1"});
  EXPECT_TRUE(contains(extracted.out, "24 from the cache, 0 computed")) << extracted.out;
}

// The model brings its own.
TEST_F(Storage, IsNoOptionOfWhatTakesAModel) {
  for (const char* const command : {"evaluate", "predict", "finetune"}) {
    const ProcessResult help = headstart_process({command, "--help"});
    EXPECT_FALSE(contains(help.out, "--storage")) << command;
  }
  EXPECT_EQ(headstart_process(arguments(folder(), "never", {"--storage", "bfloat16"})).exit_code, 2);
}

TEST_F(Storage, FineTuningStartsFromRoundedMaps) {
  HEADSTART_ONLY_NIGHTLY();
  const ProcessResult tuned =
      headstart_process({"finetune", shared_run().dataset.string(), "-o", path("tuned"), "--from",
                         path("cold/model.h5"), "--cache", path("cache"), "--epochs", "1", "--views", "0"});
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  EXPECT_TRUE(contains(tuned.err, "block4_pool: 24 images")) << tuned.err;
  const ProcessResult list = headstart_process({"cache", "list", "--cache", path("cache")});
  EXPECT_TRUE(contains(list.out, "block4_pool")) << list.out;
  EXPECT_FALSE(contains(list.out, "float32")) << list.out;
  // Its first metrics are of rows that were rounded at block4_pool, those of train of rows rounded at
  // block5_pool.
  EXPECT_EQ(metrics_of(folder() / "tuned")["before"]["train"]["accuracy"],
            metrics_of(folder() / "cold")["train"]["accuracy"]);
}

}  // namespace
}  // namespace headstart::test
