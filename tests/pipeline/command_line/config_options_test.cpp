// tests/pipeline/command_line/config_options_test.cpp: options that are written to a config.toml and read
// from it are the same options.
#include "pipeline/command_line/config_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "data/error.hpp"
#include "pipeline/commands/shared_options.hpp"
#include "pipeline/commands/training_options.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

using ::testing::HasSubstr;

/// A program with the commands train and sweep.
struct CommandLine {
  CommandLine() {
    root.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    train = root.add_subcommand("train", "");
    train->add_option("dataset", options.dataset)->required();
    train->add_option("-o,--out", options.out);
    train->add_flag("--allow-outside", allow_outside);
    add_number(*train, "--threads", threads, 1, 4096, "");
    add_network(*train, options.stage_one.network, options.stage_one.weights);
    add_engine(*train, options.stage_one);
    add_training(*train, options);
    add_extractor(*train, options.stage_one);
    train->add_flag("--dry-run", options.dry_run)->configurable(false);
    sweep = root.add_subcommand("sweep", "");
    sweep_options.sweep.emplace();
    sweep->add_option("dataset", sweep_options.dataset)->required();
    sweep->add_option("-o,--out", sweep_options.out);
    sweep->add_flag("--allow-outside", allow_outside);
    add_number(*sweep, "--threads", threads, 1, 4096, "");
    add_network(*sweep, sweep_options.stage_one.network, sweep_options.stage_one.weights);
    add_engine(*sweep, sweep_options.stage_one);
    add_sweep(*sweep, sweep_options);
    add_extractor(*sweep, sweep_options.stage_one);
  }

  void parse(const std::vector<std::string>& arguments, const char* command = "train") {
    std::vector<const char*> argv{"headstart", command};
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    root.parse(static_cast<int>(argv.size()), argv.data());
  }

  CLI::App root;
  CLI::App* train = nullptr;
  CLI::App* sweep = nullptr;
  TrainOptions options;
  TrainOptions sweep_options;
  bool allow_outside = false;
  int threads = 1;
};

/// `arguments` with the file, as the program does it.
std::unique_ptr<CommandLine> parse_with(const std::filesystem::path& file,
                                        const std::vector<std::string>& arguments,
                                        const char* command = "train") {
  CommandLine typed;
  try {
    typed.parse(arguments, command);
  } catch (const CLI::ParseError&) {  // what the file may have is missing
  }
  auto line = std::make_unique<CommandLine>();
  static_cast<void>(apply_config(file, typed.root, line->root, {command}));
  line->parse(arguments, command);
  return line;
}

class ConfigOptionsTest : public testing::Test {
 protected:
  std::filesystem::path file(const std::string& text) {
    std::ofstream(scratch_ / "c.toml", std::ios::binary) << text;
    return scratch_ / "c.toml";
  }

  std::string message_of(const std::string& text, const std::vector<std::string>& arguments = {"set"}) {
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
                 {"--epochs", "5"});
  EXPECT_EQ(line->options.dataset, "images");
  EXPECT_EQ(line->options.training.epochs, 5);
  EXPECT_EQ(line->options.training.learning_rate, 0.01);
  EXPECT_EQ(line->options.training.l2, 0.0);
  EXPECT_TRUE(line->options.training.nesterov);
  EXPECT_EQ(line->options.training.hidden, (std::vector<int>{64, 32}));
  EXPECT_EQ(parse_with(file("[train]\ndataset = \"a\"\n"), {"b"})->options.dataset, "b");
  EXPECT_EQ(parse_with(file("[train]\nhidden = 64\n"), {"b"})->options.training.hidden,
            (std::vector<int>{64}));
  EXPECT_EQ(parse_with(file("[train]\nepochs = 7\n[sweep]\n"), {"b"})->options.training.epochs, 7);
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
  typed.parse({"set"});
  CommandLine line;
  const auto note = apply_config(file("[sweep]\nfolds = 5\n"), typed.root, line.root, {"train"});
  ASSERT_TRUE(note.has_value());
  EXPECT_THAT(*note, HasSubstr("has no section [train]"));
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
  EXPECT_TRUE(train->allow_outside);
  EXPECT_EQ(train->threads, 2);

  const auto sweep = parse_with(source_path("tests/golden/config_0_1_0_sweep.toml"), {}, "sweep");
  EXPECT_EQ(sweep->sweep_options.dataset, "say \"x\"");
  EXPECT_EQ(sweep->sweep_options.out, "2024");
  const SearchSpace& space = sweep->sweep_options.sweep->space;
  EXPECT_EQ(space.rates, (std::vector<double>{0.1, 1, 3}));
  EXPECT_EQ(space.hidden, (std::vector<std::vector<int>>{{}, {512, 128}}));
  EXPECT_EQ(space.l2, (std::vector<double>{1e-5, 1e-4, 1e-3}));
  EXPECT_EQ(space.poolings.size(), 3U);
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
      "--cache=" + *text(),
      "--weights=" + *text(),
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
  arguments.emplace_back("--");
  arguments.push_back(*text());

  CommandLine first;
  first.parse(arguments);
  const Config written = config_of(*first.train);
  const auto again = parse_with(file(written.text()), {});
  RC_ASSERT(config_of(*again->train).text() == written.text());
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
