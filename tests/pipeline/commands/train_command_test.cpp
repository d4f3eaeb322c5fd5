// tests/pipeline/commands/train_command_test.cpp: train, evaluate, extract and cache list, as the binary does
// them.
#include <sys/resource.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

TEST(Train, TellsInTheReportWhatTheFeaturesSayAboutTheImages) {
  const std::string html = read_text((shared_run().out / "report.html").string());
  for (const char* title : {">Near-duplicates</h2>", ">Suspect labels</h2>", ">Outliers</h2>",
                            ">Class separability</h2>", ">Confused classes</h2>"})
    EXPECT_NE(html.find(title), std::string::npos) << title;
}

TEST(Train, EndsWithTheMetricsTableAndWhereThingsAre) {
  const TrainingRun& run = shared_run();
  ASSERT_EQ(run.result.exit_code, 0) << run.result.err;
  EXPECT_NE(run.result.out.find("accuracy"), std::string::npos) << run.result.out;
  EXPECT_NE(run.result.out.find("validation"), std::string::npos);
  EXPECT_NE(run.result.out.find((run.out / "model.h5").string()), std::string::npos);
  EXPECT_NE(run.result.out.find((run.out / "report.html").string()), std::string::npos);
}

TEST(Train, WritesEveryFileOfTheContract) {
  for (const char* file : {"model.h5", "metrics.json", "history.csv", "predictions.csv", "images.csv",
                           "class_indices.json", "config.toml", "report.html"}) {
    EXPECT_TRUE(fs::is_regular_file(shared_run().out / file)) << file;
  }
}

TEST(Train, CountsEveryImageAndSplitsEveryClass) {
  const Json metrics = metrics_of(shared_run().out);
  EXPECT_EQ(metrics["images"]["total"], 24);
  EXPECT_EQ(metrics["images"]["used"], 24);
  EXPECT_EQ(metrics["images"]["cache_misses"], 24);
  EXPECT_EQ(metrics["images"]["cache_hits"], 0);
  EXPECT_EQ(metrics["classes"], (std::vector<std::string>{"birds", "fruit", "roadsigns"}));
  EXPECT_EQ(metrics["train"]["images"], 18);
  EXPECT_EQ(metrics["validation"]["images"], 6);
  for (const Json& row : metrics["validation"]["per_class"]) EXPECT_EQ(row["support"], 2);
  EXPECT_TRUE(metrics["validation"]["top5_accuracy"].is_null());
  EXPECT_EQ(metrics["solver"], "gram");
}

TEST(Train, LearnsTheTrainingImages) { EXPECT_GT(metrics_of(shared_run().out)["train"]["accuracy"], 0.9); }

TEST(Train, ReportsThePredictionsThatTheMetricsCount) {
  const auto rows = read_csv(shared_run().out / "predictions.csv");
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"path", "label", "predicted", "probability", "birds", "fruit",
                                               "roadsigns"}));
  int correct = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i][0].substr(0, rows[i][1].size()), rows[i][1]);
    correct += rows[i][1] == rows[i][2] ? 1 : 0;
    double sum = 0.0;
    for (std::size_t c = 4; c < 7; ++c) sum += std::strtod(rows[i][c].c_str(), nullptr);
    EXPECT_NEAR(sum, 1.0, 1e-5);
  }
  EXPECT_DOUBLE_EQ(metrics_of(shared_run().out)["validation"]["accuracy"], correct / 6.0);
}

TEST(Train, LastValidationLossOfTheHistoryIsThatOfTheMetrics) {
  const auto rows = read_csv(shared_run().out / "history.csv");
  ASSERT_EQ(rows.size(), 7U);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"epoch", "loss", "accuracy", "val_loss", "val_accuracy",
                                               "learning_rate", "seconds"}));
  EXPECT_EQ(rows[1][0], "1");
  EXPECT_EQ(rows.back()[0], "6");
  EXPECT_EQ(metrics_of(shared_run().out)["best_epoch"], 6);
  const double loss = metrics_of(shared_run().out)["validation"]["loss"];
  EXPECT_NEAR(std::strtod(rows.back()[3].c_str(), nullptr), loss, 1e-5 * std::abs(loss));
}

TEST(Train, ASecondRunIsAnsweredByTheCacheAndGivesTheSameBytes) {
  const ScratchFolder scratch;
  const ProcessResult result = headstart_process(shared_arguments(scratch / "out", {"--quiet"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  Json metrics = metrics_of(scratch / "out");
  EXPECT_EQ(metrics["images"]["cache_hits"], 24);
  EXPECT_EQ(metrics["images"]["cache_misses"], 0);
  Json first = metrics_of(shared_run().out);
  for (Json* json : {&metrics, &first}) {
    json->erase("timing");
    (*json)["images"].erase("cache_hits");
    (*json)["images"].erase("cache_misses");
  }
  EXPECT_EQ(metrics, first);
  const auto files = read_folder(scratch / "out");
  for (const char* name : {"model.h5", "predictions.csv", "images.csv", "class_indices.json"}) {
    EXPECT_TRUE(files.at(name) == read_text((shared_run().out / name).string())) << name;
  }
}

TEST(Train, TheConfigOfARunOnACsvFileRepeatsIt) {
  const ScratchFolder scratch;
  fs::create_directory(scratch / "set");
  std::ofstream csv(scratch / "set" / "labels.csv");
  csv << "path,label\n";
  for (const auto& entry : fs::recursive_directory_iterator(shared_run().dataset)) {
    if (entry.is_regular_file())
      csv << entry.path().string() << ',' << entry.path().parent_path().filename().string() << '\n';
  }
  csv.close();
  const std::string file = (scratch / "set" / "labels.csv").string();
  ASSERT_EQ(headstart_process({"train", file, "-o", (scratch / "out").string(), "--cache",
                               shared_run().cache.string(), "--epochs", "1", "--hidden", "0", "--pooling",
                               "avg", "--allow-outside"})
                .exit_code,
            0);
  const std::string config = (scratch / "out" / "config.toml").string();
  EXPECT_NE(read_text(config).find("allow-outside = true"), std::string::npos) << read_text(config);
  const ProcessResult again =
      headstart_process({"train", file, "-o", (scratch / "again").string(), "--config", config});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(read_text((scratch / "again" / "model.h5").string()) ==
              read_text((scratch / "out" / "model.h5").string()));
  // A flag that is off is written too, and read as off.
  std::string off = read_text(config);
  off.replace(off.find("allow-outside = true"), 20, "allow-outside = false");
  std::ofstream(scratch / "off.toml") << off;
  EXPECT_EQ(headstart_process({"train", file, "-o", (scratch / "again").string(), "--config",
                               (scratch / "off.toml").string()})
                .exit_code,
            1);
}

double processor_seconds_of_children() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

TEST(Train, VerboseEndsWithATableOfWhereTheTimeWent) {
  const ScratchFolder scratch;
  const std::vector<std::string> arguments =
      shared_arguments(scratch / "out", {"--verbose", "--threads", "1"});  // may run a training itself
  const double processor_before = processor_seconds_of_children();
  const auto start = std::chrono::steady_clock::now();
  const ProcessResult result = headstart_process(arguments);
  const double processor = processor_seconds_of_children() - processor_before;
  const double outside = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::size_t table = result.err.find("\npass ");
  ASSERT_NE(table, std::string::npos) << result.err;
  std::istringstream lines(result.err.substr(table + 1));
  std::string line;
  std::getline(lines, line);
  double sum = 0.0;
  double total = 0.0;
  std::set<std::string> passes;
  while (std::getline(lines, line)) {
    // "train    1.25  12 %"
    const std::size_t name_end = line.find("  ");
    ASSERT_NE(name_end, std::string::npos) << line;
    const std::string name = line.substr(0, name_end);
    const double seconds = std::stod(line.substr(name_end));
    if (name == "total") {
      total = seconds;
      break;
    }
    passes.insert(name);
    sum += seconds;
  }
  EXPECT_NEAR(sum, total, 0.05);
  EXPECT_LE(total, outside + 0.01);
  // Not of `outside`: on a loaded machine a process waits before it begins.
  EXPECT_GE(total, 0.5 * processor) << "most of the process is measured";
  for (const char* name : {"list the images", "compute or find features", "read features", "train",
                           "evaluate", "write the results"})
    EXPECT_TRUE(passes.contains(name)) << name << '\n' << result.err;
  EXPECT_EQ(headstart_process(shared_arguments(scratch / "out", {})).err.find("\npass "), std::string::npos);
}

TEST(Train, GivesTheSameModelWithOneThread) {
  const ScratchFolder scratch;
  ASSERT_EQ(headstart_process(shared_arguments(scratch / "out", {"--threads", "1"})).exit_code, 0);
  EXPECT_TRUE(read_text((scratch / "out" / "model.h5").string()) ==
              read_text((shared_run().out / "model.h5").string()));
}

TEST(Train, AnotherSeedGivesAnotherModel) {
  const ScratchFolder scratch;
  ASSERT_EQ(headstart_process(shared_arguments(scratch / "out", {"--seed", "7"})).exit_code, 0);
  EXPECT_FALSE(read_text((scratch / "out" / "model.h5").string()) ==
               read_text((shared_run().out / "model.h5").string()));
}

TEST(Train, ItsConfigRepeatsTheRun) {
  const ScratchFolder scratch;
  const std::string config = (shared_run().out / "config.toml").string();
  const ProcessResult result =
      headstart_process({"train", "--config", config, "-o", (scratch / "out").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(read_text((scratch / "out" / "model.h5").string()) ==
              read_text((shared_run().out / "model.h5").string()));
}

TEST(Train, BrokenImagesAreRowsWithAReasonAndShiftNothing) {
  const ScratchFolder scratch;
  fs::copy(shared_run().dataset, scratch / "dataset", fs::copy_options::recursive);
  std::ofstream(scratch / "dataset" / "birds" / "a_first.jpg") << "no image";
  std::ofstream(scratch / "dataset" / "fruit" / "empty.png");
  const std::string whole =
      read_text(fs::directory_iterator(scratch / "dataset" / "roadsigns")->path().string());
  std::ofstream(scratch / "dataset" / "roadsigns" / "cut.jpg", std::ios::binary)
      << whole.substr(0, whole.size() / 2);
  std::vector<std::string> arguments = shared_arguments(scratch / "out");
  arguments[1] = (scratch / "dataset").string();
  const ProcessResult result = headstart_process(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(metrics_of(scratch / "out")["images"]["rejected"], 3);
  EXPECT_NE(result.err.find("birds/a_first.jpg"), std::string::npos) << result.err;
  for (const auto& row : read_csv(scratch / "out" / "images.csv")) {
    const bool broken =
        row[0] == "birds/a_first.jpg" || row[0] == "fruit/empty.png" || row[0] == "roadsigns/cut.jpg";
    if (row[0] == "path") continue;
    EXPECT_EQ(row[4], broken ? "rejected" : "used") << row[0];
    EXPECT_EQ(row[5].empty(), !broken) << row[0];
  }
  EXPECT_TRUE(read_text((scratch / "out" / "predictions.csv").string()) ==
              read_text((shared_run().out / "predictions.csv").string()))
      << "the good images are the same, so the split, the training and the predictions must be";
}

TEST(Train, GivenSplitsAreKept) {
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset" / "train", {"birds", "fruit"}, 6);
  copy_samples(scratch / "dataset" / "val", {"birds", "fruit"}, 8);
  for (const char* name : {"birds", "fruit"}) {  // validation: the two that training lacks
    for (const auto& entry : fs::directory_iterator(scratch / "dataset" / "train" / name)) {
      fs::remove(scratch / "dataset" / "val" / name / entry.path().filename());
    }
  }
  std::vector<std::string> arguments = shared_arguments(scratch / "out");
  arguments[1] = (scratch / "dataset").string();
  const ProcessResult result = headstart_process(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(metrics_of(scratch / "out")["train"]["images"], 12);
  EXPECT_EQ(metrics_of(scratch / "out")["validation"]["images"], 4);
  EXPECT_EQ(metrics_of(scratch / "out")["images"]["cache_hits"], 16)
      << "the same bytes under other paths are known";
}

TEST(Train, EveryRepresentationIsEvaluatedAsItWasTrained) {
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset" / "train", {"birds", "fruit", "roadsigns"}, 8);
  fs::create_directories(scratch / "dataset" / "val");
  for (const char* name : {"birds", "fruit", "roadsigns"}) {
    fs::create_directories(scratch / "dataset" / "val" / name);
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(scratch / "dataset" / "train" / name))
      files.push_back(entry);
    std::sort(files.begin(), files.end());
    for (std::size_t i = 0; i < 3; ++i)
      fs::rename(files[i], scratch / "dataset" / "val" / name / files[i].filename());
  }
  const std::vector<std::vector<std::string>> runs{
      {"avg", "none", "16", "1e-4"},           {"max", "unit", "0", "0.5"},
      {"avg", "scale", "0", "0.05"},           {"max", "standardize", "12,8", "0.01"},
      {"flatten", "unit", "12,8", "0.1"},      {"flatten", "scale", "16", "0.1"},
      {"flatten", "standardize", "8", "1e-4"}, {"avg", "standardize", "0", "0.001"}};
  for (const auto& run : runs) {
    SCOPED_TRACE(run[0] + " " + run[1] + " " + run[2]);
    const fs::path out = scratch / ("out-" + run[0] + run[1] + run[2]);
    const ProcessResult trained = headstart_process(
        {"train", (scratch / "dataset").string(), "-o", out.string(), "--cache", shared_run().cache.string(),
         "--pooling", run[0], "--transform", run[1], "--hidden", run[2], "--learning-rate", run[3], "--l2",
         "0.01", "--epochs", "4", "--force"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
    const ProcessResult evaluated =
        headstart_process({"evaluate", (out / "model.h5").string(), (scratch / "dataset").string(), "--cache",
                           shared_run().cache.string(), "--json", (scratch / "evaluation.json").string()});
    ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
    const Json metrics = metrics_of(out);
    const Json evaluation = Json::parse(read_text((scratch / "evaluation.json").string()));
    EXPECT_EQ(metrics["pooling"], run[0]);
    EXPECT_EQ(metrics["transform"], run[1]);
    EXPECT_EQ(evaluation["training"], metrics["train"]);
    EXPECT_EQ(evaluation["validation"], metrics["validation"]);
    // The last line of the history was measured on transformed rows, before folding.
    const double loss = metrics["validation"]["loss"];
    EXPECT_NEAR(std::strtod(read_csv(out / "history.csv").back()[3].c_str(), nullptr), loss,
                1e-5 * std::abs(loss));
    EXPECT_GT(loss, metrics["validation"]["cross_entropy"]);
  }
}

TEST(Train, DivergenceIsAnErrorThatSaysWhatToDo) {
  const ScratchFolder scratch;
  const ProcessResult result =
      headstart_process(shared_arguments(scratch / "out", {"--learning-rate", "1e5"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find("lower --learning-rate"), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST(Evaluate, AgreesWithTheTrainingRun) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  const ProcessResult result =
      headstart_process({"evaluate", (run.out / "model.h5").string(), run.dataset.string(), "--cache",
                         run.cache.string(), "--json", (scratch / "evaluation.json").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json all = Json::parse(read_text((scratch / "evaluation.json").string()))["all"];
  const Json metrics = metrics_of(run.out);
  const double correct =
      18 * metrics["train"]["accuracy"].get<double>() + 6 * metrics["validation"]["accuracy"].get<double>();
  EXPECT_NEAR(all["accuracy"], correct / 24, 1e-12);
  EXPECT_EQ(all["images"], 24);
}

TEST(Evaluate, NamesAClassThatTheModelDoesNotKnow) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset", {"bugs"}, 1);
  const ProcessResult result =
      headstart_process({"evaluate", (run.out / "model.h5").string(), (scratch / "dataset").string(),
                         "--cache", run.cache.string()});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("'bugs'"), std::string::npos) << result.err;
}

TEST(Extract, FillsTheCacheForEveryTapAndCacheListShowsIt) {
  const ScratchFolder scratch;
  copy_samples(scratch / "dataset", {"music"}, 3);
  const std::string cache = (scratch / "cache").string();
  const ProcessResult result = headstart_process(
      {"extract", (scratch / "dataset").string(), "--cache", cache, "--tap", "block4_pool,block5_pool"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("3 computed"), std::string::npos) << result.out;
  const ProcessResult warm = headstart_process(
      {"extract", (scratch / "dataset").string(), "--cache", cache, "--tap", "block5_pool"});
  EXPECT_NE(warm.out.find("3 from the cache, 0 computed"), std::string::npos) << warm.out;
  const ProcessResult list = headstart_process({"cache", "list", "--cache", cache});
  ASSERT_EQ(list.exit_code, 0);
  EXPECT_NE(list.out.find("block4_pool"), std::string::npos) << list.out;
  EXPECT_NE(list.out.find("block5_pool"), std::string::npos) << list.out;
}

TEST(Extract, AnotherNetworkThanVgg16NeedsWeights) {
  const ScratchFolder scratch;
  const ProcessResult result = headstart_process({"extract", shared_run().dataset.string(), "--cache",
                                                  (scratch / "cache").string(), "--network", "vgg19"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("pass a file of VGG19's to --weights"), std::string::npos) << result.err;
  EXPECT_EQ(headstart_process({"extract", shared_run().dataset.string(), "--network", "vgg7"}).exit_code, 2);
}

TEST(Train, ConfigNamesTheNetwork) {
  EXPECT_NE(read_text((shared_run().out / "config.toml").string()).find("network = \"vgg16\""),
            std::string::npos);
}

TEST(Extract, DryRunComputesNothing) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  const ProcessResult cold = headstart_process(
      {"extract", run.dataset.string(), "--cache", (scratch / "cache").string(), "--dry-run"});
  ASSERT_EQ(cold.exit_code, 0) << cold.err;
  EXPECT_NE(cold.out.find("0 in the cache, 24 to compute"), std::string::npos) << cold.out;
  EXPECT_FALSE(fs::exists(scratch / "cache"));
  const ProcessResult warm =
      headstart_process({"extract", run.dataset.string(), "--cache", run.cache.string(), "--dry-run"});
  EXPECT_NE(warm.out.find("24 in the cache, 0 to compute"), std::string::npos) << warm.out;
}

}  // namespace
}  // namespace headstart::test
