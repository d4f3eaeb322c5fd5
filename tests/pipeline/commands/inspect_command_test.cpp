// tests/pipeline/commands/inspect_command_test.cpp: inspect, as the binary does it.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// The shared run's dataset with one bird filed under fruit as well: its features are in the cache.
struct Misfiled {
  ScratchFolder scratch;
  fs::path dataset = scratch / "dataset";
  std::string bird;  // file name

  Misfiled() {
    fs::copy(shared_run().dataset, dataset, fs::copy_options::recursive);
    for (const auto& entry : fs::directory_iterator(dataset / "birds"))
      bird = std::max(bird, entry.path().filename().string());
    fs::copy_file(dataset / "birds" / bird, dataset / "fruit" / bird);
  }

  [[nodiscard]] ProcessResult inspect(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"inspect", dataset.string(), "--cache", shared_run().cache.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return headstart_process(arguments);
  }
};

TEST(Inspect, FindsAMisfiledCopy) {
  const Misfiled misfiled;
  const std::string file = (misfiled.scratch / "inspection.json").string();
  const ProcessResult result = misfiled.inspect({"-o", file, "--threshold", "0.9999"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("25 from the cache"), std::string::npos) << result.err;
  EXPECT_NE(result.out.find("birds/" + misfiled.bird), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("same file; labels differ: birds, fruit"), std::string::npos) << result.out;

  const Json json = Json::parse(read_text(file));
  EXPECT_EQ(json["images"]["used"], 25);
  ASSERT_EQ(json["near_duplicates"]["pairs"].size(), 1U);
  const Json& pair = json["near_duplicates"]["pairs"][0];
  EXPECT_EQ(pair["first"]["path"], "birds/" + misfiled.bird);
  EXPECT_EQ(pair["second"]["path"], "fruit/" + misfiled.bird);
  EXPECT_TRUE(pair["second"]["split"].is_null());
  EXPECT_NEAR(pair["cosine"], 1.0, 1e-6);
  // Neither copy is predicted with the other's help. So both are taken for one class, which one label is not.
  int suspected = 0;
  for (const Json& suspect : json["suspect_labels"]) {
    const std::string path = suspect["path"];
    if (path == "birds/" + misfiled.bird || path == "fruit/" + misfiled.bird) ++suspected;
  }
  EXPECT_GE(suspected, 1) << json["suspect_labels"].dump();
  ASSERT_EQ(json["classes"].size(), 3U);
  EXPECT_EQ(json["classes"][1]["images"], 9);
  const Json& scores = json["transferability"];  // of every tap in the cache, which other tests fill as well
  EXPECT_EQ(
      std::count_if(scores.begin(), scores.end(), [](const Json& s) { return s["tap"] == "block5_pool"; }),
      3);  // poolings
}

TEST(Inspect, GivesTheSameBytesWithAnyNumberOfThreads) {
  const Misfiled misfiled;
  const std::string one = (misfiled.scratch / "one.json").string();
  const std::string three = (misfiled.scratch / "three.json").string();
  ASSERT_EQ(misfiled.inspect({"-o", one, "--threads", "1"}).exit_code, 0);
  ASSERT_EQ(misfiled.inspect({"-o", three, "--threads", "3"}).exit_code, 0);
  EXPECT_TRUE(read_text(one) == read_text(three));
}

TEST(Inspect, RefusesWhatItCannotCompare) {
  const ScratchFolder scratch;
  const std::string cache = (scratch / "cache").string();
  const std::string one_class = (scratch / "dataset").string();
  copy_samples(one_class, {"birds"}, 2);
  EXPECT_EQ(headstart_process({"inspect", one_class, "--cache", cache}).exit_code, 3);
  EXPECT_EQ(headstart_process({"inspect", one_class, "--threshold", "1.5"}).exit_code, 2);

  const ProcessResult nothing = headstart_process({"inspect", "--cache", cache});
  EXPECT_EQ(nothing.exit_code, 2);
  EXPECT_NE(nothing.err.find("--features"), std::string::npos) << nothing.err;
}

TEST(Inspect, OfAFeaturesFileIsThatOfTheDataset) {
  const Misfiled misfiled;
  const auto cache = shared_run().cache.string();
  const std::string flattened = (misfiled.scratch / "flattened.h5").string();
  const std::string averages = (misfiled.scratch / "averages.h5").string();
  ASSERT_EQ(
      headstart_process({"cache", "export", misfiled.dataset.string(), "--cache", cache, "-o", flattened})
          .exit_code,
      0);
  ASSERT_EQ(headstart_process({"cache", "export", misfiled.dataset.string(), "--cache", cache, "--pooling",
                               "avg", "-o", averages})
                .exit_code,
            0);
  const std::string file = (misfiled.scratch / "inspection.json").string();
  ASSERT_EQ(misfiled.inspect({"-o", file}).exit_code, 0);
  const Json of_dataset = Json::parse(read_text(file));
  const ProcessResult result = headstart_process({"inspect", "--features", flattened, "-o", file});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json of_file = Json::parse(read_text(file));
  for (const char* part : {"near_duplicates", "suspect_labels", "outliers", "classes", "out_of_fold"})
    EXPECT_EQ(of_file[part], of_dataset[part]) << part;
  EXPECT_EQ(of_file["transferability"].size(), 3U);

  ASSERT_EQ(headstart_process({"inspect", "--features", averages, "-o", file}).exit_code, 0);
  const Json of_averages = Json::parse(read_text(file));
  ASSERT_EQ(of_averages["transferability"].size(), 1U);
  EXPECT_EQ(of_averages["transferability"][0]["pooling"], "avg");
  EXPECT_EQ(of_averages["images"]["used"], 25);
  EXPECT_EQ(headstart_process({"inspect", misfiled.dataset.string(), "--features", averages}).exit_code, 2);
}

}  // namespace
}  // namespace headstart::test
