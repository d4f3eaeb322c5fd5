// tests/pipeline/commands/earlier_output_test.cpp: what stood where a command writes survives every way in
// which it can fail.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/pipeline/commands/sample_dataset.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

/// Of these tests alone: others count what is cached of the shared run's dataset.
const fs::path& own_cache() {
  static const ScratchFolder folder;
  static const fs::path path = folder / "cache";
  return path;
}

/// A command that writes to OUT.
struct Writer {
  std::string name;
  bool is_folder = false;
  bool trains = false;
  std::function<Arguments(const std::string& dataset, const std::string& out)> arguments;
};

void PrintTo(const Writer& writer, std::ostream* out) { *out << writer.name; }

std::string model() { return (shared_run().out / "model.h5").string(); }

const std::vector<Writer>& writers() {
  static const std::vector<Writer> all{
      {"train", true, true,
       [](const std::string& set, const std::string& out) {
         return Arguments{"train", set, "-o", out, "--hidden", "8", "--epochs", "40"};
       }},
      {"sweep", true, true,
       [](const std::string& set, const std::string& out) {
         return Arguments{"sweep", set, "-o", out, "--poolings", "avg", "--hidden", "0", "--folds", "2"};
       }},
      {"finetune", true, true,
       [](const std::string& set, const std::string& out) {
         return Arguments{"finetune", set, "-o", out, "--epochs", "1", "--batch", "8"};
       }},
      {"finetune --from", true, true,
       [](const std::string& set, const std::string& out) {
         return Arguments{"finetune", set, "-o", out, "--from", model(), "--epochs", "1", "--batch", "8"};
       }},
      {"inspect", false, false,
       [](const std::string& set, const std::string& out) {
         return Arguments{"inspect", set, "-o", out};
       }},
      {"evaluate", false, false,
       [](const std::string& set, const std::string& out) {
         return Arguments{"evaluate", model(), set, "--json", out};
       }},
      {"predict", false, false,
       [](const std::string& set, const std::string& out) {
         return Arguments{"predict", model(), set, "-o", out};
       }},
      {"cache export", false, false,
       [](const std::string& set, const std::string& out) {
         return Arguments{"cache", "export", set, "-o", out};
       }},
      {"export", false, false,
       [](const std::string&, const std::string& out) {
         return Arguments{"export", model(), "--to", "onnx", "-o", out};
       }},
      {"export --to keras", false, false,
       [](const std::string&, const std::string& out) {
         return Arguments{"export", model(), "--to", "keras", "-o", out};
       }},
  };
  return all;
}

/// Every file below `folder` with its content.
std::map<std::string, std::string> content_of(const fs::path& path) {
  std::map<std::string, std::string> content;
  if (fs::is_directory(path)) return read_folder(path);
  content[""] = read_text(path.string());
  return content;
}

class EarlierOutput : public ::testing::TestWithParam<Writer> {
 protected:
  void SetUp() override {
    ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
    const std::string name = "out";
    out_ = scratch_ / name;
    if (GetParam().is_folder) {
      fs::copy(shared_run().out, out_, fs::copy_options::recursive);
      std::ofstream(out_ / "history.csv") << "an earlier one\n";
    } else {
      std::ofstream(out_) << "an earlier one\n";
    }
    before_ = content_of(out_);
  }

  /// Runs the command with `out` for OUT.
  [[nodiscard]] ProcessResult start(const fs::path& out, const ProcessOptions& options, const Arguments& more,
                                    const std::string& dataset) const {
    Arguments arguments = GetParam().arguments(dataset, out.string());
    if (!GetParam().name.starts_with("export"))
      arguments.insert(arguments.end(), {"--cache", own_cache().string()});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return headstart_process(arguments, options);
  }

  /// A run that fails and leaves OUT as it was.
  [[nodiscard]] ProcessResult failing(const ProcessOptions& options, const Arguments& more = {},
                                      const std::string& dataset = shared_run().dataset.string()) const {
    ProcessResult result = start(out_, options, more, dataset);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_TRUE(content_of(out_) == before_) << result.err;
    return result;
  }

  /// What lies beside OUT.
  [[nodiscard]] Arguments beside() const {
    Arguments names;
    for (const auto& entry : fs::directory_iterator(scratch_.path())) {
      const std::string name = entry.path().filename().string();
      if (name != out_.filename().string()) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  const ScratchFolder scratch_;
  fs::path out_;
  std::map<std::string, std::string> before_;
};

TEST_P(EarlierOutput, SurvivesAFullDisk) {
  ASSERT_EQ(headstart_process({"extract", shared_run().dataset.string(), "--cache", own_cache().string()})
                .exit_code,
            0);
  ProcessOptions no_room;
  no_room.before_exec = [] {
    const rlimit limit{0, 0};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  // What it says goes to a file too, which has no room either.
  EXPECT_EQ(failing(no_room).exit_code, 1);
  EXPECT_EQ(beside(), Arguments{});
}

TEST_P(EarlierOutput, SurvivesDataThatAreNotThere) {
  if (GetParam().name.starts_with("export")) GTEST_SKIP() << "it reads none";
  static_cast<void>(failing({}, {}, (scratch_ / "nowhere").string()));
  EXPECT_EQ(beside(), Arguments{});
}

TEST_P(EarlierOutput, SurvivesTooManyRejects) {
  if (GetParam().name.starts_with("export")) GTEST_SKIP() << "it reads none";
  if (GetParam().name == "predict") GTEST_SKIP() << "a reject and its reason are what it has to say";
  const ScratchFolder elsewhere;
  const fs::path dataset = elsewhere / "dataset";
  fs::copy(shared_run().dataset, dataset, fs::copy_options::recursive);
  std::ofstream(fs::directory_iterator(dataset)->path() / "broken.jpg") << "\xFF\xD8\xFF no image";
  const ProcessResult result = failing({}, {"--on-error", "fail"}, dataset.string());
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(beside(), Arguments{});
}

TEST_P(EarlierOutput, SurvivesDivergence) {
  if (!GetParam().trains || GetParam().name == "sweep") GTEST_SKIP() << "it trains nothing, or many";
  Arguments absurd{"--learning-rate", "1e6", "--l2", "1e6"};
  if (GetParam().name != "train") absurd.insert(absurd.end(), {"--head-learning-rate", "1e6"});
  EXPECT_EQ(failing({}, absurd).exit_code, 1);
}

/// A run may be through when the signal comes: then OUT is whole, and what an undisturbed run makes.
TEST_P(EarlierOutput, IsWholeOrWhatItWasAfterAKillOrCtrlC) {
  const std::string dataset = shared_run().dataset.string();
  const fs::path whole = scratch_ / "whole";
  ASSERT_EQ(start(whole, {}, {}, dataset).exit_code, 0);
  const auto expected = content_of(whole);
  for (const int signal : {SIGKILL, SIGINT}) {
    for (const useconds_t microseconds : {30'000U, 200'000U, 600'000U}) {
      ProcessOptions disturbed;
      disturbed.while_running = [=](int pid) {
        usleep(microseconds);
        kill(pid, signal);
      };
      const ProcessResult result = start(out_, disturbed, {}, dataset);
      const auto found = content_of(out_);
      if (found == before_) continue;
      ASSERT_EQ(found.size(), expected.size()) << result.err;
      for (const auto& [name, content] : expected) {
        ASSERT_TRUE(found.contains(name)) << name;
        // Other files have seconds in them.
        if (name.empty() || name == "model.h5") {
          EXPECT_TRUE(found.at(name) == content) << name << ' ' << result.err;
        }
      }
      return;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Commands, EarlierOutput, ::testing::ValuesIn(writers()),
                         [](const ::testing::TestParamInfo<Writer>& writer) {
                           std::string name;
                           for (const char c : writer.param.name) {
                             if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
                           }
                           return name;
                         });

/// Without --from a head is trained first. It lies beside OUT, and --resume goes on from it.
TEST(FinetuneWithoutAModel, KeepsItsHeadBesideOutUntilItIsDone) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const ScratchFolder scratch;
  const fs::path out = scratch / "out";
  fs::copy(shared_run().out, out, fs::copy_options::recursive);
  const auto before = read_folder(out);
  const fs::path head = scratch / "out.head" / "model.h5";
  Arguments arguments{"finetune", shared_run().dataset.string(),
                      "-o",       out.string(),
                      "--cache",  own_cache().string(),
                      "--batch",  "8",
                      "--epochs", "1"};
  ProcessOptions murder;
  murder.while_running = [&](int pid) {
    for (int i = 0; i < 12'000 && !fs::exists(head) && kill(pid, 0) == 0; ++i) usleep(5'000);
    kill(pid, SIGKILL);
  };
  ASSERT_EQ(headstart_process(arguments, murder).exit_code, 128 + SIGKILL);
  ASSERT_TRUE(fs::exists(head));
  EXPECT_TRUE(read_folder(out) == before);
  const auto trained = read_folder(head.parent_path());

  arguments.emplace_back("--resume");
  const ProcessResult resumed = headstart_process(arguments);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(resumed.err.find("a head is trained first"), std::string::npos) << resumed.err;
  EXPECT_FALSE(fs::exists(head.parent_path()));
  EXPECT_NE(read_text((out / "model.h5").string()), before.at("model.h5"));
  EXPECT_NE(read_text((out / "model.h5").string()), trained.at("model.h5"));
}

/// Expects exit code and message, and that `cache`, which stage one makes, is not there.
void expect_refused_at_once(const Arguments& arguments, const fs::path& cache, int exit_code,
                            const std::string& mentions) {
  Arguments all = arguments;
  all.insert(all.end(), {"--cache", cache.string()});
  const ProcessResult result = headstart_process(all);
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_NE(result.err.find(mentions), std::string::npos) << result.err;
  EXPECT_FALSE(fs::exists(cache)) << "work was done first: " << mentions;
}

TEST(Outputs, AreNeverAnInput) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const ScratchFolder scratch;
  fs::copy_file(model(), scratch / "model.h5");
  fs::copy(shared_run().dataset, scratch / "set", fs::copy_options::recursive);
  std::ofstream list(scratch / "list.csv");
  list << "path,label\n";
  for (const auto& entry : fs::recursive_directory_iterator(scratch / "set")) {
    if (!entry.is_regular_file()) continue;
    const fs::path image = fs::relative(entry.path(), scratch.path());
    list << image.string() << ',' << image.parent_path().filename().string() << '\n';
  }
  list.close();
  std::ofstream(scratch / "c.toml") << "[inspect]\ntop = 3\n";
  fs::create_symlink("model.h5", scratch / "link");
  fs::create_hard_link(scratch / "list.csv", scratch / "other.csv");
  const auto before = read_folder(scratch.path());

  const auto at = [&](const char* name) { return (scratch / name).string(); };
  const std::string image = fs::directory_iterator(scratch / "set" / "fruit")->path().string();
  for (const Arguments& arguments : std::vector<Arguments>{
           {"predict", at("model.h5"), at("set"), "-o", at("link")},
           {"predict", at("model.h5"), image, "-o", image},
           {"evaluate", at("model.h5"), at("set"), "--json", at("model.h5")},
           {"evaluate", at("model.h5"), at("list.csv"), "--json", at("other.csv")},
           {"inspect", at("list.csv"), "-o", at("list.csv")},
           {"inspect", at("list.csv"), "--config", at("c.toml"), "-o", at("c.toml")},
           {"cache", "export", at("list.csv"), "-o", at("list.csv")},
           {"cache", "export", at("set"), "--weights", at("model.h5"), "-o", at("model.h5")}})
    expect_refused_at_once(arguments, scratch / "cache", 2, "the output is an input");
  const ProcessResult exported =
      headstart_process({"export", at("model.h5"), "--to", "onnx", "-o", at("model.h5")});
  EXPECT_EQ(exported.exit_code, 2) << exported.err;
  EXPECT_TRUE(read_folder(scratch.path()) == before);
}

TEST(Outputs, ThatCannotBeWrittenAreFoundBeforeAnyWork) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const ScratchFolder scratch;
  const std::string set = shared_run().dataset.string();
  const std::string out = (scratch / "none" / "out").string();
  for (const Arguments& arguments : std::vector<Arguments>{{"predict", model(), set, "-o", out},
                                                           {"evaluate", model(), set, "--json", out},
                                                           {"inspect", set, "-o", out},
                                                           {"cache", "export", set, "-o", out}})
    expect_refused_at_once(arguments, scratch / "cache", 1, out + ": No such file or directory");
}

TEST(Usage, IsCheckedBeforeStageOne) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const ScratchFolder scratch;
  const std::string set = shared_run().dataset.string();
  const std::string out = (scratch / "out").string();
  for (const Arguments& arguments : std::vector<Arguments>{{"train", set, "-o", out},
                                                           {"finetune", set, "-o", out},
                                                           {"finetune", set, "-o", out, "--from", model()}}) {
    Arguments all = arguments;
    all.insert(all.end(), {"--early-stopping", "3", "--validation", "0"});
    expect_refused_at_once(all, scratch / "cache", 2, "--early-stopping with --validation 0");
  }
  copy_samples(scratch / "other", {"bugs", "mammals"}, 2);
  const std::string other = (scratch / "other").string();
  expect_refused_at_once({"evaluate", model(), other}, scratch / "cache", 3, "does not fit the model");
  expect_refused_at_once({"finetune", other, "-o", out, "--from", model()}, scratch / "cache", 3,
                         "does not fit the model");
}

TEST(PredictToAFile, LeavesWhatItHasDoneBesideIt) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const ScratchFolder scratch;
  const fs::path out = scratch / "labels.csv";
  Arguments arguments{"predict", model(), "-o", out.string(), "--cache", own_cache().string()};
  arguments.insert(arguments.end(), 4, shared_run().dataset.string());  // 96 images: 32, then 64
  ASSERT_EQ(headstart_process(arguments).exit_code, 0);
  const std::string whole = read_text(out.string());
  std::ofstream(out) << "an earlier one\n";

  ProcessOptions full;
  full.before_exec = [room = whole.size() * 6 / 10] {
    const rlimit limit{room, room};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
  const ProcessResult result = headstart_process(arguments, full);
  EXPECT_EQ(result.exit_code, 1) << result.err;
  EXPECT_EQ(read_text(out.string()), "an earlier one\n");
  const std::string said = "what was predicted so far is in ";
  const std::size_t at = result.err.find(said);
  ASSERT_NE(at, std::string::npos) << result.err;
  const std::size_t name = at + said.size();
  const std::string done = read_text(result.err.substr(name, result.err.find('\n', name) - name));
  EXPECT_TRUE(whole.starts_with(done));
  EXPECT_GT(std::count(done.begin(), done.end(), '\n'), 32);
}

TEST(PredictToAFile, WritesToWhatIsNoFileAtOnce) {
  ASSERT_EQ(shared_run().result.exit_code, 0) << shared_run().result.err;
  const std::string dataset = shared_run().dataset.string();
  const Arguments to_stdout{"predict", model(), dataset, "--cache", own_cache().string()};
  Arguments to_device = to_stdout;
  to_device.insert(to_device.end(), {"-o", "/dev/stdout"});
  EXPECT_EQ(headstart_process(to_device).out, headstart_process(to_stdout).out);
}

}  // namespace
}  // namespace headstart::test
