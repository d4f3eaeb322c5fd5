// tests/pipeline/commands/names_command_test.cpp: names that are not UTF-8, and lists on standard input, as
// the binary takes them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/archive_file.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;

constexpr const char* kLatin1 = "caf\xe9";

/// Two classes, one of which is called in Latin-1.
void copy_latin1_samples(const fs::path& folder) {
  copy_samples(folder, {"birds", "fruit"}, 4);
  fs::rename(folder / "birds", folder / kLatin1);
}

/// libarchive's writer can't be had to store a name that is neither ASCII nor UTF-8.
void write_latin1_zip(const fs::path& file) {
  write_archive(file, ArchiveKind::kZip, {{"caf!/1.jpg", "1"}, {"dog/2.jpg", "2"}});
  std::string bytes = read_bytes(file);
  for (std::size_t at = bytes.find("caf!"); at != std::string::npos; at = bytes.find("caf!"))
    bytes[at + 3] = '\xe9';
  write_bytes(file, bytes);
}

ProcessResult run(const std::string& command, const fs::path& dataset, const ScratchFolder& scratch,
                  const std::vector<std::string>& more) {
  std::vector<std::string> arguments{command, dataset.string(), "--cache", (scratch / "cache").string()};
  if (command != "extract" && command != "inspect")
    arguments.insert(arguments.end(), {"-o", (scratch / "out").string()});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return headstart_process(arguments);
}

TEST(Names, AClassThatIsNotUtf8IsAnErrorBeforeAnyWork) {
  const ScratchFolder scratch;
  copy_latin1_samples(scratch / "set");
  write_archive(scratch / "set.tar", ArchiveKind::kTar, {{"caf\xe9/1.jpg", "1"}, {"dog/2.jpg", "2"}});
  write_latin1_zip(scratch / "set.zip");
  std::ofstream(scratch / "set.csv") << "path,label\na.jpg,caf\xe9\nb.jpg,dog\n";
  for (const char* dataset : {"set", "set.tar", "set.zip", "set.csv"}) {
    for (const char* command : {"train", "sweep", "extract", "inspect"}) {
      const ProcessResult result = run(command, scratch / dataset, scratch, {});
      EXPECT_EQ(result.exit_code, 1) << result.err;
      EXPECT_NE(result.err.find("the class name 'caf\\xe9' is not UTF-8: "), std::string::npos) << result.err;
      EXPECT_NE(result.err.find("it looks like latin1 (café): pass --encoding latin1"), std::string::npos)
          << result.err;
      EXPECT_EQ(occurrences(result.err, "stage one"), 0);
    }
    const ProcessResult named =
        run("extract", scratch / dataset, scratch, {"--encoding", "latin1", "--dry-run"});
    EXPECT_EQ(named.exit_code, 0) << named.err;
    EXPECT_NE(named.out.find("café"), std::string::npos) << named.out;
  }
  const ProcessResult unknown = run("extract", scratch / "set", scratch, {"--encoding", "klingon"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("klingon"), std::string::npos) << unknown.err;
}

TEST(Names, TheEncodingHoldsForAllNamesOfAZipButThoseMarkedAsUtf8) {
  const ScratchFolder scratch;
  // In GBK the bytes of the first class are also UTF-8, of an "e" with a grave accent.
  write_archive(scratch / "set.zip", ArchiveKind::kZip,
                {{"c!/1.jpg", "1"}, {"dog/ab.jpg", "2"}, {"f\xc3\xa9te/3.jpg", "3"}});
  std::string bytes = read_bytes(scratch / "set.zip");
  for (const auto& [from, to] : {std::pair{"c!/1", "\xc3\xa8/1"}, std::pair{"/ab.", "/\xb9\xb7."}}) {
    for (const std::size_t at : places_of(bytes, from)) bytes.replace(at, 4, to);
  }
  write_bytes(scratch / "set.zip", bytes);
  const ProcessResult result =
      run("extract", scratch / "set.zip", scratch, {"--encoding", "gbk", "--dry-run"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* name : {"猫", "dog", "féte"})
    EXPECT_NE(result.out.find(name), std::string::npos) << name << result.out;
}

TEST(Names, TheEncodingIsKeptWithTheRun) {
  const ScratchFolder scratch;
  copy_latin1_samples(scratch / "set");
  const ProcessResult result =
      run("train", scratch / "set", scratch,
          {"--encoding", "latin1", "--epochs", "1", "--hidden", "0", "--input-size", "64"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(metrics_of(scratch / "out")["classes"], (nlohmann::json{"café", "fruit"}));
  // Files keep their names, whatever bytes they are.
  EXPECT_NE(read_text((scratch / "out/images.csv").string()).find("\ncaf\xe9/"), std::string::npos);
  const ProcessResult again = headstart_process(
      {"train", "--config", (scratch / "out/config.toml").string(), "-o", (scratch / "again").string()});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  expect_same_bytes(scratch / "again", scratch / "out");
}

TEST(Names, ListsOnStandardInputAreReadAsToolsWriteThem) {
  const TrainingRun& shared = shared_run();
  std::vector<std::string> images;
  for (const auto& entry : fs::directory_iterator(shared.dataset / "fruit"))
    images.push_back(entry.path().string());
  const auto predict = [&](const std::string& list) {
    ProcessOptions options;
    options.input = list;
    return headstart_process(
               {"predict", (shared.out / "model.h5").string(), "-", "--cache", shared.cache.string()},
               options)
        .out;
  };
  const std::string lines = predict(images[0] + "\n" + images[1] + "\n");
  EXPECT_EQ(occurrences(lines, "\n"), 3) << lines;
  EXPECT_EQ(predict(images[0] + "\0"s + images[1] + "\0"s), lines);
  EXPECT_EQ(predict("\xef\xbb\xbf" + images[0] + "\r\n" + images[1]), lines);
}

TEST(Names, ClassesThatAPersonTakesForOneAreWarnedOf) {
  const ScratchFolder scratch;
  copy_samples(scratch / "set", {"birds", "fruit"}, 1);
  fs::copy(scratch / "set/fruit", scratch / "set/Fruit");
  const ProcessResult result = run("extract", scratch / "set", scratch, {"--input-size", "64", "--quiet"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning: classes 'Fruit' and 'fruit' differ"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace headstart::test
