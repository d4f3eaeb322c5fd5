// tests/pipeline/commands/views_command_test.cpp: --views of train, extract, predict and evaluate, as the
// binary does them.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "data/image/decode.hpp"
#include "data/image/view.hpp"
#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

Json read_json(const fs::path& file) { return Json::parse(read_text(file.string())); }

/// Arguments of the shared run with two views, another output folder, and more options.
std::vector<std::string> with_views(const fs::path& out, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = shared_run().arguments;
  arguments[3] = out.string();
  arguments.insert(arguments.end(), {"--views", "2"});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Views, TrainOnThemAndAreAllHitsTheSecondTime) {
  const ScratchFolder scratch;
  fs::copy(shared_run().cache, scratch / "cache", fs::copy_options::recursive);
  const std::vector<std::string> cache{"--cache", (scratch / "cache").string()};
  const ProcessResult first = headstart_process(with_views(scratch / "first", cache));
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_NE(first.err.find("views: 2 of each of 18 training images"), std::string::npos) << first.err;
  Json metrics = read_json(scratch / "first" / "metrics.json");
  EXPECT_EQ(metrics["views"],
            (Json{{"of_each", 2}, {"cache_hits", 0}, {"copies", 0}, {"cache_misses", 36}, {"rejected", 0}}));
  const Json plain = read_json(shared_run().out / "metrics.json");
  EXPECT_EQ(metrics["images"]["total"], 24);
  EXPECT_EQ(metrics["train"]["images"], 18) << "images, not rows";
  EXPECT_EQ(metrics["validation"]["images"], 6);
  EXPECT_EQ(metrics["rows_sha256"], plain["rows_sha256"]);
  EXPECT_EQ(plain["views"]["of_each"], 0);
  const auto files = read_folder(scratch / "first");
  EXPECT_TRUE(files.at("images.csv") == read_text((shared_run().out / "images.csv").string()));
  EXPECT_FALSE(files.at("model.h5") == read_text((shared_run().out / "model.h5").string()));
  EXPECT_NE(files.at("model.h5").find("\"views\":2"), std::string::npos);

  std::vector<std::string> again = with_views(scratch / "second", cache);
  again.insert(again.end(), {"--quiet", "--threads", "1"});
  const ProcessResult second = headstart_process(again);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.err, "");
  metrics = read_json(scratch / "second" / "metrics.json");
  EXPECT_EQ(metrics["views"]["cache_hits"], 36);
  EXPECT_EQ(metrics["views"]["cache_misses"], 0);
  EXPECT_TRUE(read_text((scratch / "second" / "model.h5").string()) == files.at("model.h5"));

  const ProcessResult repeated =
      headstart_process({"train", "--config", (scratch / "first" / "config.toml").string(), "-o",
                         (scratch / "third").string(), "--quiet"});
  ASSERT_EQ(repeated.exit_code, 0) << repeated.err;
  EXPECT_TRUE(read_text((scratch / "third" / "model.h5").string()) == files.at("model.h5"));
}

TEST(Views, AnotherSeedHasTheSameViews) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  const std::string cache = (scratch / "cache").string();
  copy_samples(scratch / "dataset", {"birds", "fruit"}, 4);
  ASSERT_EQ(headstart_process({"extract", (scratch / "dataset").string(), "--cache", cache, "--views", "1"})
                .exit_code,
            0);
  for (const char* seed : {"1", "2"}) {
    const ProcessResult result = headstart_process(
        {"train", (scratch / "dataset").string(), "-o", (scratch / "out").string(), "--cache", cache,
         "--views", "1", "--seed", seed, "--hidden", "4", "--epochs", "1", "--learning-rate", "1e-5"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(read_json(scratch / "out" / "metrics.json")["views"]["cache_misses"], 0);
  }
}

/// Probabilities by class of each path of a prediction with --top-k 3.
std::map<std::string, std::map<std::string, double>> probabilities(const std::string& csv,
                                                                   const fs::path& file) {
  std::ofstream(file) << csv;
  std::map<std::string, std::map<std::string, double>> result;
  for (const auto& row : read_csv(file)) {
    for (std::size_t k = 1; k + 1 < row.size() && row[0] != "path"; k += 2) {
      result[row[0]][row[k]] = std::strtod(row[k + 1].c_str(), nullptr);
    }
  }
  return result;
}

/// A view of an image, cut by hand and written as an image of its own.
void write_view(const fs::path& image, std::uint64_t index, const fs::path& file) {
  const std::string bytes = read_text(image.string());
  const auto decoded = std::get<DecodedImage>(decode_image(std::as_bytes(std::span(bytes)), {})).image;
  const RgbImage view =
      cut(decoded, draw_view(view_key(sha256(bytes), index), decoded.width, decoded.height));
  std::ofstream out(file, std::ios::binary);
  out << "P6 " << view.width << " " << view.height << " 255\n";
  for (const std::uint8_t value : view.pixels) out << static_cast<char>(value);
}

TEST(Views, APredictionIsTheMeanOverTheImageAndItsViews) {
  HEADSTART_ONLY_NIGHTLY();
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  const std::string model = (run.out / "model.h5").string();
  const std::string cache = (scratch / "cache").string();
  fs::create_directory(scratch / "originals");
  fs::create_directory(scratch / "all");
  int number = 0;
  for (const auto& row : read_csv(run.out / "predictions.csv")) {
    if (row[0] == "path") continue;
    const std::string name = std::to_string(number++);
    fs::copy_file(run.dataset / row[0], scratch / "originals" / (name + ".jpg"));
    fs::copy_file(run.dataset / row[0], scratch / "all" / (name + "-0.jpg"));
    for (const std::uint64_t view : {1U, 2U}) {
      write_view(run.dataset / row[0], view, scratch / "all" / (name + "-" + std::to_string(view) + ".ppm"));
    }
  }
  const ProcessResult averaged = headstart_process(
      {"predict", model, (scratch / "originals").string(), "--cache", cache, "--views", "2", "--top-k", "3"});
  ASSERT_EQ(averaged.exit_code, 0) << averaged.err;
  const ProcessResult single =
      headstart_process({"predict", model, (scratch / "all").string(), "--cache", cache, "--top-k", "3"});
  ASSERT_EQ(single.exit_code, 0) << single.err;
  const auto means = probabilities(averaged.out, scratch / "means.csv");
  auto singles = probabilities(single.out, scratch / "singles.csv");
  ASSERT_EQ(means.size(), 6U);
  double moved = 0.0;
  for (const auto& [path, mean] : means) {
    const std::string name = fs::path(path).stem().string();
    for (const auto& [label, probability] : mean) {
      double sum = 0.0;
      for (const char* view : {"-0.jpg", "-1.ppm", "-2.ppm"}) {
        sum += singles.at((scratch / "all" / (name + view)).string()).at(label);
      }
      EXPECT_NEAR(probability, sum / 3, 1e-5) << path << " " << label;
      moved += std::abs(probability - singles.at((scratch / "all" / (name + "-0.jpg")).string()).at(label));
    }
  }
  EXPECT_GT(moved, 1e-3) << "views change nothing";
}

TEST(Views, EvaluationAveragesAndSaysSo) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  const auto evaluate = [&](const char* views) {
    const ProcessResult result = headstart_process(
        {"evaluate", (run.out / "model.h5").string(), run.dataset.string(), "--cache", run.cache.string(),
         "--views", views, "--json", (scratch / "evaluation.json").string()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return read_json(scratch / "evaluation.json");
  };
  const Json plain = evaluate("0");
  const Json averaged = evaluate("1");
  EXPECT_EQ(plain["views"]["of_each"], 0);
  EXPECT_EQ(averaged["views"]["of_each"], 1);
  EXPECT_EQ(averaged["all"]["images"], 24);
  EXPECT_NE(averaged["all"]["cross_entropy"], plain["all"]["cross_entropy"]);
}

TEST(Views, ExtractCachesThemAndDryRunCountsThem) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset", {"music"}, 3);
  std::ofstream(scratch / "dataset" / "music" / "broken.jpg") << "no image";
  const std::vector<std::string> arguments{"extract", (scratch / "dataset").string(), "--cache",
                                           (scratch / "cache").string(), "--views"};
  const auto extract = [&](std::vector<std::string> more) {
    more.insert(more.begin(), arguments.begin(), arguments.end());
    const ProcessResult result = headstart_process(more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  };
  const std::string first = extract({"1"});
  EXPECT_NE(first.find("3 computed, 1 rejected; 1 views of each: 0 from the cache, 3 computed, 0 rejected"),
            std::string::npos)
      << first;
  const std::string plan = extract({"2", "--dry-run"});
  EXPECT_NE(plan.find("2 views of each: 3 in the cache, 5 not"), std::string::npos) << plan;
  const std::string second = extract({"2"});
  EXPECT_NE(
      second.find("3 from the cache, 0 computed, 1 rejected; 2 views of each: 3 from the cache, 3 computed"),
      std::string::npos)
      << second;
}

TEST(Views, TooManyAreWrongUsage) {
  for (const char* views : {"-1", "65", "x"}) {
    EXPECT_EQ(headstart_process({"extract", "x", "--views", views}).exit_code, 2) << views;
  }
}

}  // namespace
}  // namespace headstart::test
