// tests/pipeline/commands/predict_command_test.cpp: predict, as the binary does it.
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

TEST(Predict, AgreesWithTheTrainingRun) {
  const TrainingRun& run = shared_run();
  const ProcessResult result =
      headstart_process({"predict", (run.out / "model.h5").string(), run.dataset.string(), "--top-k", "3",
                         "--cache", run.cache.string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const ScratchFolder scratch;
  std::ofstream(scratch / "predicted.csv") << result.out;
  std::map<std::string, std::vector<std::string>> predicted;
  for (const auto& row : read_csv(scratch / "predicted.csv")) predicted[row[0]] = row;
  EXPECT_EQ(predicted.size(), 25U);
  for (const auto& row : read_csv(run.out / "predictions.csv")) {
    if (row[0] == "path") continue;
    const auto& ours = predicted.at((run.dataset / row[0]).string());
    EXPECT_EQ(ours[1], row[2]);
    EXPECT_EQ(ours[2], row[3]);
  }
}

/// Sets every weight of the head's first kernel.
void fill_first_kernel(const fs::path& model, float value) {
  const hid_t file = H5Fopen(model.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t kernel = H5Dopen2(file, "/model_weights/hidden_1/hidden_1/kernel:0", H5P_DEFAULT);
  const hid_t space = H5Dget_space(kernel);
  ASSERT_GT(H5Sget_simple_extent_npoints(space), 0);
  const std::vector<float> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)), value);
  EXPECT_GE(H5Dwrite(kernel, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Sclose(space);
  H5Dclose(kernel);
  EXPECT_GE(H5Fclose(file), 0);
}

TEST(Predict, AHeadThatOverflowsPredictsNothing) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  const fs::path model = scratch / "model.h5";
  fs::copy_file(run.out / "model.h5", model);
  fill_first_kernel(model, 3e38F);
  const ProcessResult predicted =
      headstart_process({"predict", model.string(), run.dataset.string(), "--cache", run.cache.string()});
  EXPECT_EQ(predicted.exit_code, 3) << predicted.err;
  EXPECT_EQ(occurrences(predicted.out, ",,,the model's head overflows on it"), 24) << predicted.out;
  const ProcessResult evaluated =
      headstart_process({"evaluate", model.string(), run.dataset.string(), "--cache", run.cache.string()});
  EXPECT_EQ(evaluated.exit_code, 3) << evaluated.err;
  EXPECT_EQ(occurrences(evaluated.err, "error: the model's head overflows: "), 1) << evaluated.err;
  EXPECT_EQ(evaluated.out, "");
}

TEST(Predict, ReadsAListFromStdinAndWritesJsonLines) {
  const TrainingRun& run = shared_run();
  const std::string image = fs::directory_iterator(run.dataset / "fruit")->path().string();
  ProcessOptions options;
  options.input = image + "\n/nowhere/at all.jpg\r\n\n" + (run.out / "metrics.json").string() + "\n";
  const ProcessResult result = headstart_process(
      {"predict", (run.out / "model.h5").string(), "-", "--format", "jsonl", "--cache", run.cache.string()},
      options);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::istringstream text(result.out);
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["path"], image);
  EXPECT_EQ(lines[0]["predictions"].size(), 1U);
  EXPECT_EQ(lines[1], (Json{{"path", "/nowhere/at all.jpg"}, {"error", "does not exist"}}));
  EXPECT_TRUE(lines[2].contains("error"));
  // An argument that does not exist is a slip of the hand, a line of a list is not.
  EXPECT_EQ(headstart_process({"predict", (run.out / "model.h5").string(), "/nowhere/at all.jpg"}).exit_code,
            2);
}

TEST(Predict, WithoutAnyImageSaysSo) {
  const std::string model = (shared_run().out / "model.h5").string();
  const ScratchFolder scratch;
  const ProcessResult folder = headstart_process({"predict", model, scratch.path().string()});
  EXPECT_EQ(folder.exit_code, 3);
  EXPECT_EQ(folder.out, "");
  EXPECT_NE(folder.err.find("there is nothing to predict: " + scratch.path().string() + ": "),
            std::string::npos)
      << folder.err;
  const ProcessResult empty = headstart_process({"predict", model, "-"});
  EXPECT_EQ(empty.exit_code, 3);
  EXPECT_NE(empty.err.find("there is nothing to predict: standard input: "), std::string::npos) << empty.err;
  ProcessOptions from_folder;
  from_folder.before_exec = [] {
    if (dup2(open("/", O_RDONLY | O_CLOEXEC), STDIN_FILENO) < 0) _exit(126);
  };
  const ProcessResult unread = headstart_process({"predict", model, "-"}, from_folder);
  EXPECT_EQ(unread.exit_code, 1);
  EXPECT_NE(unread.err.find("standard input: Is a directory"), std::string::npos) << unread.err;
}

TEST(Predict, AnOnnxFileIsToldFromAModel) {
  const ScratchFolder scratch;
  const std::string onnx = (scratch / "model").string();
  ASSERT_EQ(
      headstart_process({"export", (shared_run().out / "model.h5").string(), "--to", "onnx", "-o", onnx})
          .exit_code,
      0);
  const ProcessResult result = headstart_process({"predict", onnx, shared_run().dataset.string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.err.find(onnx + ": is an ONNX file, which is for other programs: pass a model.h5"),
            std::string::npos)
      << result.err;
}

TEST(Predict, BelowTheThresholdAnImageIsUnknown) {
  const TrainingRun& run = shared_run();
  const std::vector<std::string> command{"predict", (run.out / "model.h5").string(), run.dataset.string(),
                                         "--cache", run.cache.string()};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = command;
    all.insert(all.end(), more.begin(), more.end());
    return headstart_process(all);
  };
  const ScratchFolder scratch;
  std::ofstream(scratch / "plain.csv") << with({}).out;
  std::ofstream(scratch / "threshold.csv") << with({"--threshold", "0.9", "--unknown", "?"}).out;
  const auto plain = read_csv(scratch / "plain.csv");
  const auto threshold = read_csv(scratch / "threshold.csv");
  ASSERT_EQ(plain.size(), threshold.size());
  int unknown = 0;
  for (std::size_t i = 1; i < plain.size(); ++i) {
    const bool below = std::stod(plain[i][2]) < 0.9;
    unknown += below ? 1 : 0;
    EXPECT_EQ(threshold[i][1], below ? "?" : plain[i][1]);
    EXPECT_EQ(threshold[i][2], plain[i][2]);
  }
  EXPECT_GT(unknown, 0);
  const ProcessResult clash = with({"--threshold", "0.5", "--unknown", "fruit"});
  EXPECT_EQ(clash.exit_code, 2);
  EXPECT_NE(clash.err.find("--unknown"), std::string::npos);
}

TEST(Predict, ExplainsAnImageWithTheLongestNameThereIs) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  std::string name = "x";
  for (int i = 0; i < 125; ++i) name += "\u00e9";  // two bytes each
  name += ".jpg";                                  // 255 in all
  fs::copy_file(fs::directory_iterator(run.dataset / "fruit")->path(), scratch / name);
  const ProcessResult result =
      headstart_process({"predict", (run.out / "model.h5").string(), (scratch / name).string(), "--cache",
                         run.cache.string(), "--explain", (scratch / "why").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string file = fs::directory_iterator(scratch / "why")->path().filename().string();
  EXPECT_TRUE(file.starts_with("000001-x\u00e9")) << file;
  EXPECT_TRUE(file.ends_with("\u00e9.png")) << file;
}

TEST(Predict, ExplainWritesAPngForEachImage) {
  const TrainingRun& run = shared_run();
  const ScratchFolder scratch;
  const ProcessResult result =
      headstart_process({"predict", (run.out / "model.h5").string(), (run.dataset / "fruit").string(),
                         "--cache", run.cache.string(), "--explain", (scratch / "why").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::ofstream(scratch / "predicted.csv") << result.out;
  const auto rows = read_csv(scratch / "predicted.csv");
  ASSERT_EQ(rows[0][3], "explanation");
  EXPECT_GT(rows.size(), 6U);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string& file = rows[i][3];
    EXPECT_EQ(file, (scratch / "why" /
                     (fmt::format("{:06}-", i) + fs::path(rows[i][0]).filename().string() + ".png"))
                        .string());
    EXPECT_EQ(read_text(file).substr(1, 3), "PNG");
  }
  const ProcessResult refused =
      headstart_process({"predict", (run.out / "model.h5").string(), run.dataset.string(), "--cache",
                         run.cache.string(), "--explain", "/proc/none"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("--explain"), std::string::npos);
}

}  // namespace
}  // namespace headstart::test
