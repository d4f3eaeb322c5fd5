// tests/pipeline/commands/archive_command_test.cpp: the same images as a folder and as archives of every
// kind, as the binary sees them: content keys make the cache hit, and the model is the same to the byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/pipeline/commands/training_runs.hpp"
#include "tests/support/archive_file.hpp"
#include "tests/support/nightly.hpp"
#include "tests/support/opened_files.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// The shared run's images as members: in class folders, in an order that no listing has.
std::vector<ArchiveEntry> class_folders(const std::string& top = "") {
  std::vector<ArchiveEntry> entries;
  for (const auto& entry : fs::recursive_directory_iterator(shared_run().dataset)) {
    if (!entry.is_regular_file()) continue;
    entries.push_back(
        {top + fs::relative(entry.path(), shared_run().dataset).string(), read_bytes(entry.path())});
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.content.size(), a.name) < std::pair(b.content.size(), b.name);
  });
  return entries;
}

/// The same images as three of WebDataset's shards, in the order of the shared run's paths.
void write_shards(const fs::path& folder) {
  std::vector<ArchiveEntry> images = class_folders();
  std::sort(images.begin(), images.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  fs::create_directories(folder);
  for (std::size_t shard = 0; shard < 3; ++shard) {
    std::vector<ArchiveEntry> entries;
    for (std::size_t i = shard * 8; i < (shard + 1) * 8; ++i) {
      const std::string key = std::to_string(1000 + i);
      const std::string label = images.at(i).name.substr(0, images[i].name.find('/'));
      entries.push_back({key + ".cls", label + "\n"});
      entries.push_back({key + ".jpg", images[i].content});
    }
    write_archive(folder / ("shard-" + std::to_string(shard) + ".tar"), ArchiveKind::kPax, entries);
  }
}

std::vector<std::string> training(const fs::path& dataset, const fs::path& out) {
  std::vector<std::string> arguments = shared_arguments(out);
  arguments[1] = dataset.string();
  return arguments;
}

/// A path as archives name it, without the archive.
std::string without_archive(const std::string& path) { return path.substr(path.find('/') + 1); }

void expect_the_shared_model(const fs::path& out) {
  EXPECT_TRUE(read_text((out / "model.h5").string()) == read_text((shared_run().out / "model.h5").string()));
  nlohmann::json metrics = metrics_of(out);
  nlohmann::json shared = metrics_of(shared_run().out);
  EXPECT_EQ(metrics["images"]["cache_hits"], 24);
  EXPECT_EQ(metrics["images"]["cache_misses"], 0);
  EXPECT_EQ(metrics["images"]["total"], 24);
  EXPECT_EQ(metrics["rows_sha256"], shared["rows_sha256"]);
  EXPECT_EQ(metrics["validation"], shared["validation"]);
}

TEST(Archives, OfEveryKindTrainTheSameModelFromTheCache) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const ScratchFolder scratch;
  const std::vector<std::pair<std::string, ArchiveKind>> kinds{{"set.tar", ArchiveKind::kTar},
                                                               {"set.tar.gz", ArchiveKind::kTarGz},
                                                               {"set.tar.zst", ArchiveKind::kTarZst},
                                                               {"set.zip", ArchiveKind::kZip}};
  const auto shared_rows = read_csv(shared_run().out / "images.csv");
  for (const auto& [name, kind] : kinds) {
    write_archive(scratch / name, kind, class_folders(name == "set.zip" ? "top/" : ""));
    const ProcessResult result = headstart_process(training(scratch / name, scratch / "out"));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    expect_the_shared_model(scratch / "out");
    auto rows = read_csv(scratch / "out" / "images.csv");
    ASSERT_EQ(rows.size(), shared_rows.size());
    for (std::size_t i = 1; i < rows.size(); ++i) {
      EXPECT_TRUE(rows[i][0].starts_with(name + "/")) << rows[i][0];
      rows[i][0] = without_archive(rows[i][0]);
      if (name == "set.zip") rows[i][0] = without_archive(rows[i][0]);
    }
    EXPECT_EQ(rows, shared_rows) << name;
    if (kind != ArchiveKind::kZip) continue;
    // And config.toml of it repeats the run.
    const ProcessResult again =
        headstart_process({"train", "--config", (scratch / "out" / "config.toml").string(), "-o",
                           (scratch / "again").string()});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    expect_the_shared_model(scratch / "again");
  }
}

TEST(Archives, WebdatasetShardsTrainTheSameModelHoweverTheyAreNamed) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  write_shards(scratch / "shards");
  write_bytes(scratch / "set.txt", "shards/shard-{0..2}.tar\n");
  for (const char* dataset : {"shards", "shards/shard-{0..2}.tar", "set.txt"}) {
    const ProcessResult result = headstart_process(training(scratch / dataset, scratch / "out"));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    expect_the_shared_model(scratch / "out");
    if (fs::exists(scratch / dataset)) continue;  // config.toml of the pattern repeats the run, too
    const ProcessResult again =
        headstart_process({"train", "--config", (scratch / "out" / "config.toml").string(), "-o",
                           (scratch / "again").string()});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    expect_the_shared_model(scratch / "again");
  }
}

TEST(Archives, AreExtractedAsTheFolderIsFromAnEmptyCache) {
  HEADSTART_ONLY_NIGHTLY();
  const ScratchFolder scratch;
  write_archive(scratch / "set.tar.gz", ArchiveKind::kTarGz, class_folders());
  std::vector<std::string> arguments = training(scratch / "set.tar.gz", scratch / "out");
  arguments.insert(arguments.end(), {"--cache", (scratch / "cache").string()});
  const ProcessResult result = headstart_process(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(metrics_of(scratch / "out")["images"]["cache_misses"], 24);
  EXPECT_TRUE(read_text((scratch / "out" / "model.h5").string()) ==
              read_text((shared_run().out / "model.h5").string()));
}

TEST(Archives, AnUnchangedOneIsOnlyListedOnceItsMembersAreKnown) {
  const ScratchFolder scratch;
  fs::create_directory(scratch / "set");
  write_archive(scratch / "set" / "set.tar.gz", ArchiveKind::kTarGz, class_folders());
  const auto times_opened = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"extract", (scratch / "set" / "set.tar.gz").string(), "--cache",
                                       shared_run().cache.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const OpenedFiles opened({scratch / "set"});
    const ProcessResult result = headstart_process(arguments);
    EXPECT_THAT(result.out, HasSubstr(more == std::vector<std::string>{"--dry-run"}
                                          ? "24 images: 24 in the cache, 0 to compute, 0 unreadable"
                                          : "24 from the cache, 0 computed, 0 rejected"));
    return opened.times()["set.tar.gz"];
  };
  EXPECT_EQ(times_opened({}), 2);
  sleep(2);                        // CACHE/stat trusts nothing younger
  EXPECT_GE(times_opened({}), 1);  // 2, unless the first run took so long that it was trusted then
  EXPECT_EQ(times_opened({}), 1);
  EXPECT_EQ(times_opened({"--dry-run"}), 1);
  EXPECT_EQ(times_opened({"--rehash"}), 2);
}

TEST(Archives, ATruncatedOneTrainsOnWhatIsLeftAndSaysSo) {
  const ScratchFolder scratch;
  const std::vector<ArchiveEntry> entries = class_folders();
  const fs::path file = scratch / "set.tar";
  write_archive(file, ArchiveKind::kTar, entries);
  std::size_t place = 0;  // of the header of the last member but one
  for (std::size_t i = 0; i + 2 < entries.size(); ++i)
    place += 512 + (entries[i].content.size() + 511) / 512 * 512;
  const std::string whole = read_bytes(file);
  const std::string member = "set.tar/" + entries[entries.size() - 2].name;
  // Within the data of a member, which was listed; then within its header.
  for (const bool is_listed : {true, false}) {
    write_bytes(file, whole.substr(0, place + (is_listed ? 1000 : 100)));
    const ProcessResult result = headstart_process(training(file, scratch / "out"));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("rejected set.tar: members may be missing behind "));
    EXPECT_EQ(occurrences(result.err, "rejected " + member + ": cannot be read: Truncated tar archive"),
              is_listed ? 1 : 0);
    const nlohmann::json metrics = metrics_of(scratch / "out");
    EXPECT_EQ(metrics["images"]["used"], 22);
    EXPECT_EQ(metrics["images"]["rejected"], is_listed ? 2 : 1);
    EXPECT_EQ(metrics["images"]["cache_hits"], 22);
    std::vector<std::string> rejected;
    for (const auto& row : read_csv(scratch / "out" / "images.csv")) {
      if (row[4] != "rejected") continue;
      rejected.push_back(row[0]);
      EXPECT_EQ(row[1].empty(), row[0] == "set.tar") << "a tail has no label";
      EXPECT_FALSE(row[5].empty());
    }
    EXPECT_EQ(rejected, (is_listed ? std::vector<std::string>{"set.tar", member}
                                   : std::vector<std::string>{"set.tar"}));
  }
  const ProcessResult fail = headstart_process(
      {"extract", file.string(), "--cache", shared_run().cache.string(), "--max-rejects", "0"});
  EXPECT_EQ(fail.exit_code, 3) << fail.err;
}

TEST(Archives, ArePredictedEvaluatedInspectedAndPlannedLikeFolders) {
  const ScratchFolder scratch;
  write_shards(scratch / "shards");
  const fs::path tar = scratch / "set.tar";
  write_archive(tar, ArchiveKind::kTar, class_folders());
  const std::string model = (shared_run().out / "model.h5").string();
  const std::vector<std::string> cache{"--cache", shared_run().cache.string()};
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), cache.begin(), cache.end());
    const ProcessResult result = headstart_process(arguments);
    EXPECT_EQ(result.exit_code, 0) << arguments[0] << ": " << result.err;
    return result.out;
  };
  const auto lines = [](const std::string& text) {
    std::multiset<std::string> result;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) result.insert(line);
    return result;
  };
  const std::string folder = run({"predict", model, shared_run().dataset.string()});
  std::string archive = run({"predict", model, tar.string()});
  EXPECT_EQ(occurrences(archive, "\n"), 25);
  for (std::size_t at; (at = archive.find(tar.string())) != std::string::npos;)
    archive.replace(at, tar.string().size(), shared_run().dataset.string());
  EXPECT_EQ(lines(folder), lines(archive));
  EXPECT_EQ(
      occurrences(run({"predict", model, (scratch / "shards/shard-1.tar").string(), tar.string()}), "\n"),
      1 + 8 + 24);

  const std::string shards = (scratch / "shards").string();
  EXPECT_EQ(run({"evaluate", model, shared_run().dataset.string()}), run({"evaluate", model, shards}));
  EXPECT_THAT(run({"extract", shards, "--dry-run"}),
              HasSubstr("24 images: 24 in the cache, 0 to compute, 0 unreadable"));
  EXPECT_THAT(run({"extract", tar.string()}), HasSubstr("24 from the cache, 0 computed, 0 rejected"));
  EXPECT_THAT(run({"inspect", shards}), HasSubstr("LogME"));
}

}  // namespace
}  // namespace headstart::test
