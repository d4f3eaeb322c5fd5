// tests/pipeline/command_line/config_options_test.cpp: options that are written to a config.toml and read
// from it are the same options.
#include "pipeline/command_line/config_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>

#include "data/error.hpp"
#include "pipeline/command_line/option_parser.hpp"
#include "pipeline/options/general_options.hpp"
#include "pipeline/options/training_options.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

using ::testing::HasSubstr;

/// A program with the commands train and sweep.
struct CommandLine {
  CommandLine() {
    root.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    sweep_options.sweep.emplace();
    add("train", train, options, describe_train);
    add("sweep", sweep, sweep_options, describe_sweep);
  }

  template <typename Options>
  void add(const char* name, OptionList& list, Options& fields, void (*describe)(OptionList&, Options&)) {
    describe(list, fields);
    describe_general(list, general);
    CLI::App& app = *root.add_subcommand(name, "");
    add_options(app, list);
    commands.emplace(&app, &list);
  }

  void parse(const std::vector<std::string>& arguments, const char* command = "train") {
    std::vector<const char*> argv{"headstart", command};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    root.parse(static_cast<int>(argv.size()), argv.data());
  }

  CLI::App root;
  OptionList train;
  OptionList sweep;
  DescribedCommands commands;
  TrainOptions options;
  TrainOptions sweep_options;
  GeneralOptions general;
};

/// `arguments` with the file, as the program does it.
std::unique_ptr<CommandLine> parse_with(const std::filesystem::path& file,
                                        const std::vector<std::string>& arguments,
                                        const char* command = "train",
                                        std::vector<std::string>* notes = nullptr) {
  CommandLine typed;
  try {
    typed.parse(arguments, command);
  } catch (const CLI::ParseError&) {  // what the file may have is missing
  }
  auto line = std::make_unique<CommandLine>();
  const auto found = apply_config(file, typed.root, line->root, line->commands, {command});
  if (notes != nullptr) *notes = found;
  line->parse(arguments, command);
  return line;
}

class ConfigOptionsTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& text) {
    std::ofstream(scratch_ / "c.toml", std::ios::binary) << text;
    return scratch_ / "c.toml";
  }

  std::string message_of(const std::string& text,
                         const std::vector<std::string>& arguments = {"set", "-o", "out"}) {
    try {
      static_cast<void>(parse_with(file(text), arguments));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), Error::Kind::kUsage);
      return error.what();
    }
    return "read";
  }

  ScratchFolder scratch_;
};

TEST_F(ConfigOptionsTest, KeysAreOptionsAndTheCommandLineWins) {
  const auto line =
      parse_with(file("[train]\ndataset = \"images\"\nepochs = 3\nlearning-rate = 1e-2\nnesterov = true\n"
                      "hidden = [64, 32]\nl2 = 0\n"),
                 {"--epochs", "5", "-o", "out"});
  EXPECT_EQ(line->options.dataset, "images");
  EXPECT_EQ(line->options.training.epochs, 5);
  EXPECT_EQ(line->options.training.learning_rate, 0.01);
  EXPECT_EQ(line->options.training.l2, 0.0);
  EXPECT_TRUE(line->options.training.nesterov);
  EXPECT_EQ(line->options.training.hidden, (std::vector<int>{64, 32}));
  EXPECT_EQ(parse_with(file("[train]\ndataset = \"a\"\n"), {"b", "-o", "out"})->options.dataset, "b");
  EXPECT_EQ(parse_with(file("[train]\nhidden = 64\n"), {"b", "-o", "out"})->options.training.hidden,
            (std::vector<int>{64}));
  EXPECT_EQ(parse_with(file("[train]\nepochs = 7\n[sweep]\n"), {"b", "-o", "out"})->options.training.epochs,
            7);
}

TEST_F(ConfigOptionsTest, WhatIsWrongIsNamedWithFileLineAndKey) {
  EXPECT_THAT(message_of("[train]\nepoch = 1\n"), HasSubstr("c.toml, line 2: epoch: did you mean epochs?"));
  EXPECT_THAT(message_of("[train]\nxyzzy = 1\n"), HasSubstr("c.toml, line 2: xyzzy: headstart train --help"));
  EXPECT_THAT(message_of("[trian]\nepochs = 1\n"), HasSubstr("c.toml, line 2: [trian]: did you mean train?"));
  EXPECT_THAT(message_of("epochs = 1\n"), HasSubstr("c.toml, line 1: epochs: put it below"));
  EXPECT_THAT(message_of("[train]\n\nepochs = \"ten\"\n"),
              HasSubstr("c.toml, line 3: epochs: it is a string, needed is a number"));
  EXPECT_THAT(message_of("[train]\nnesterov = 1\n"), HasSubstr("it is a number, needed is true or false"));
  EXPECT_THAT(message_of("[train]\ncache = [\"a\"]\n"), HasSubstr("it is a list, needed is a string"));
  EXPECT_THAT(message_of("[train]\ncache = 2024-01-01\n"), HasSubstr("it is a date or time"));
  EXPECT_THAT(message_of("[train]\ncache = { a = 1 }\n"), HasSubstr("it is a table"));
  EXPECT_THAT(message_of("[train]\nepochs = 0\n"), HasSubstr("c.toml, line 2: epochs: "));
  EXPECT_THAT(message_of("[train]\nepochs = 1.5\n"), HasSubstr("c.toml, line 2: epochs: "));
  EXPECT_THAT(message_of("[train]\nsolver = \"fast\"\n"), HasSubstr("auto|gram|primal"));
  EXPECT_THAT(message_of("[train]\nhidden = [1, \"many\"]\n"), HasSubstr("c.toml, line 2: hidden: "));
  EXPECT_THAT(message_of("[train]\ndry-run = true\n"), HasSubstr("pass --dry-run on the command line"));
  EXPECT_THAT(message_of("[[train]]\nepochs = 1\n"), HasSubstr("c.toml, line 1: train: put it below"));
}

TEST_F(ConfigOptionsTest, AFileThatSaysNothingOfTheCommandIsTold) {
  CommandLine typed;
  typed.parse({"set", "-o", "out"});
  CommandLine line;
  const auto notes =
      apply_config(file("[sweep]\nfolds = 5\n"), typed.root, line.root, line.commands, {"train"});
  EXPECT_THAT(notes, testing::ElementsAre(HasSubstr("has no section [train]")));
}

TEST_F(ConfigOptionsTest, FilesOf010AreRead) {
  const auto train = parse_with(source_path("tests/golden/config_0_1_0_train.toml"), {});
  const TrainOptions& options = train->options;
  EXPECT_EQ(options.dataset, "it's a set");
  EXPECT_EQ(options.out, "out");
  EXPECT_EQ(options.stage_one.cache, "");
  EXPECT_EQ(options.training.hidden, (std::vector<int>{512, 128}));
  EXPECT_EQ(options.training.dropout, 0.5);
  EXPECT_EQ(options.training.learning_rate, 0.001);
  EXPECT_EQ(options.stage_one.images.max_rejects.value, 5.0);
  EXPECT_TRUE(options.training.nesterov);
  EXPECT_EQ(options.stage_one.images.outside_paths, OutsidePaths::kAllowed);
  EXPECT_EQ(options.training.batch, 32);
  EXPECT_EQ(train->general.threads, 2);

  const auto sweep = parse_with(source_path("tests/golden/config_0_1_0_sweep.toml"), {}, "sweep");
  EXPECT_EQ(sweep->sweep_options.dataset, "say \"x\"");
  EXPECT_EQ(sweep->sweep_options.out, "2024");
  const SearchSpace& space = sweep->sweep_options.sweep->space;
  EXPECT_EQ(space.rates, (std::vector<double>{0.1, 1, 3}));
  EXPECT_EQ(space.hidden, (std::vector<std::vector<int>>{{}, {512, 128}}));
  EXPECT_EQ(space.l2, (std::vector<double>{1e-5, 1e-4, 1e-3}));
  EXPECT_EQ(space.poolings.size(), 3U);
}

TEST_F(ConfigOptionsTest, TheBatchOf010IsThatOfTheEngine) {
  std::vector<std::string> notes;
  const std::vector<std::string> arguments{"b", "-o", "out"};
  const auto old = parse_with(file("[train]\nbatch-size = 4\nbatch = 8\n"), arguments, "train", &notes);
  EXPECT_EQ(old->options.stage_one.batch_size, 4);
  EXPECT_EQ(old->options.training.batch, 8);
  EXPECT_THAT(notes,
              testing::ElementsAre(HasSubstr("line 2: without format = 2 as its first line, batch-size "
                                             "means --engine-batch here")));
  for (const char* const name : {"batch-size", "batch", "batch_size"}) {
    const auto now =
        parse_with(file(fmt::format("format = 2\n[train]\n{} = 4\nengine-batch = 2\n", name)), arguments);
    EXPECT_EQ(now->options.stage_one.batch_size, 2) << name;
    EXPECT_EQ(now->options.training.batch, 4) << name;
  }
}

TEST_F(ConfigOptionsTest, KerasNamesAreAliases) {
  const auto line = parse_with(file("format = 2\n[train]\npatience = 3\nvalidation_split = 0.5\n"),
                               {"b", "-o", "out", "--lr", "0.5", "--batch", "7"});
  EXPECT_EQ(line->options.early_stopping, 3);
  EXPECT_EQ(line->options.validation, 0.5);
  EXPECT_EQ(line->options.training.learning_rate, 0.5);
  EXPECT_EQ(line->options.training.batch, 7);
}

TEST_F(ConfigOptionsTest, ARateTakesThePlaceOfALearningRate) {
  const std::string both = "format = 2\n[train]\nrate = 1\n";
  EXPECT_EQ(parse_with(file(both), {"b", "-o", "out"})->options.rate, 1.0);
  const auto typed = parse_with(file(both), {"b", "-o", "out", "--lr", "0.5"});
  EXPECT_EQ(typed->options.rate, std::nullopt);
  const auto has = [](const OptionList& list, const std::string& key) {
    const ConfigSection section = section_of("train", list);
    return std::any_of(section.entries.begin(), section.entries.end(),
                       [&](const ConfigSection::Entry& entry) { return entry.key == key; });
  };
  EXPECT_TRUE(has(typed->train, "learning-rate") && !has(typed->train, "rate"));
  const auto read = parse_with(file(both), {"b", "-o", "out"});
  EXPECT_TRUE(has(read->train, "rate") && !has(read->train, "learning-rate"));
}

TEST_F(ConfigOptionsTest, PathsAreWrittenFromTheRoot) {
  CommandLine line;
  line.parse({"set", "-o", "out", "--cache", "/c"});
  for (const ConfigSection::Entry& entry : section_of("train", line.train).entries) {
    if (entry.key == "dataset") {
      EXPECT_EQ(std::get<std::string>(entry.value), std::filesystem::absolute("set").string());
    }
    if (entry.key == "cache") {
      EXPECT_EQ(std::get<std::string>(entry.value), "/c");
    }
  }
}

/// Text that an argument can hold.
rc::Gen<std::string> text() {
  return rc::gen::map(rc::gen::arbitrary<std::string>(), [](std::string bytes) {
    bytes.erase(std::remove(bytes.begin(), bytes.end(), '\0'), bytes.end());
    return bytes.empty() ? std::string("x") : bytes;
  });
}

RC_GTEST_FIXTURE_PROP(ConfigOptionsTest, WrittenAndReadOptionsAreTheSame, ()) {
  const int l2_digits = *rc::gen::inRange(0, 1'000'000);
  const auto hidden = *rc::gen::container<std::vector<int>>(rc::gen::inRange(1, 65536));
  std::vector<std::string> arguments{
      "--cache=/" + *text(),
      "--weights=/" + *text(),
      fmt::format("--learning-rate={}e-{}",
                  *rc::gen::inRange(std::int64_t{1}, std::int64_t{9'999'999'999'999'999}),
                  *rc::gen::inRange(10, 13)),
      fmt::format("--l2={}e-{}", l2_digits, *rc::gen::inRange(1, 12)),
      fmt::format("--epochs={}", *rc::gen::inRange(1, 1'000'000)),
      fmt::format("--seed={}", *rc::gen::inRange(std::int64_t{0}, std::int64_t{9'000'000'000'000'000})),
      fmt::format("--max-rejects={}{}", *rc::gen::inRange(0, 100), *rc::gen::element("", "%")),
      "--pooling=" + *rc::gen::element<std::string>("flatten", "avg", "max"),
  };
  if (!hidden.empty()) arguments.push_back(fmt::format("--hidden={}", fmt::join(hidden, ",")));
  if (*rc::gen::arbitrary<bool>()) arguments.emplace_back("--nesterov");
  arguments.emplace_back("--out=o");
  arguments.emplace_back("--");
  arguments.push_back("/" + *text());

  CommandLine first;
  first.parse(arguments);
  const std::string written = config_text("", std::array{section_of("train", first.train)});
  const auto again = parse_with(file(written), {});
  RC_ASSERT(config_text("", std::array{section_of("train", again->train)}) == written);
  const TrainOptions& a = first.options;
  const TrainOptions& b = again->options;
  RC_ASSERT(a.dataset == b.dataset);
  RC_ASSERT(a.stage_one.cache == b.stage_one.cache);
  RC_ASSERT(a.stage_one.weights == b.stage_one.weights);
  RC_ASSERT(a.training.learning_rate == b.training.learning_rate);
  RC_ASSERT(a.training.l2 == b.training.l2);
  RC_ASSERT(a.training.epochs == b.training.epochs);
  RC_ASSERT(a.training.seed == b.training.seed);
  RC_ASSERT(a.training.hidden == b.training.hidden);
  RC_ASSERT(a.training.nesterov == b.training.nesterov);
  RC_ASSERT(a.representation.pooling == b.representation.pooling);
  RC_ASSERT(a.stage_one.images.max_rejects.value == b.stage_one.images.max_rejects.value);
  RC_ASSERT(a.stage_one.images.max_rejects.percent == b.stage_one.images.max_rejects.percent);
}

}  // namespace
}  // namespace headstart::test
