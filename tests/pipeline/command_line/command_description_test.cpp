// tests/pipeline/command_line/command_description_test.cpp: manual pages and completion scripts hold what
// --help shows, for every command, and the scripts complete in a shell of their own.
#include "pipeline/command_line/command_description.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "pipeline/command_line/command_line.hpp"
#include "pipeline/command_line/man_page.hpp"
#include "pipeline/command_line/shell_completion.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

/// What --help says, as the parser prints it.
std::string help_of(const std::vector<std::string>& command) {
  std::vector<const char*> arguments{"headstart"};
  for (const std::string& word : command) arguments.push_back(word.c_str());
  arguments.push_back("--help");
  ::testing::internal::CaptureStdout();
  EXPECT_EQ(run_command_line(static_cast<int>(arguments.size()), arguments.data()), 0);
  return ::testing::internal::GetCapturedStdout();
}

struct Help {
  std::set<std::string> options;
  std::vector<std::string> commands;
};

/// Read off the text that people see, with nothing of the code under test.
Help parse_help(const std::string& text) {
  static const std::regex option("^  (-[A-Za-z],)?(--[a-z0-9-]+)(,--[a-z0-9-]+)?( .*)?$");
  static const std::regex command("^  ([a-z]+)  .*$");
  Help help;
  bool in_commands = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (line == "Subcommands:") in_commands = true;
    if (std::regex_match(line, match, option)) {
      help.options.insert(match[2]);
      if (match[1].matched) help.options.insert(match.str(1).substr(0, 2));
      if (match[3].matched) help.options.insert(match.str(3).substr(1));
    } else if (in_commands && std::regex_match(line, match, command)) {
      help.commands.push_back(match[1]);
    }
  }
  return help;
}

/// Help of the program and of everything that it names, by the words that lead there.
std::map<std::vector<std::string>, Help> all_help() {
  std::map<std::vector<std::string>, Help> all;
  const std::function<void(const std::vector<std::string>&)> walk =
      [&](const std::vector<std::string>& words) {
        const Help& help = all[words] = parse_help(help_of(words));
        for (const std::string& command : help.commands) {
          std::vector<std::string> below = words;
          below.push_back(command);
          walk(below);
        }
      };
  walk({});
  return all;
}

/// `page` without troff's marks.
std::string plain(std::string page) {
  for (const char* mark : {"\\fB", "\\fI", "\\fR"})
    for (std::size_t at = page.find(mark); at != std::string::npos; at = page.find(mark)) page.erase(at, 3);
  for (std::size_t at = page.find("\\-"); at != std::string::npos; at = page.find("\\-")) page.erase(at, 1);
  return page;
}

/// The lines of a page that name options, and the words on them.
std::set<std::string> options_on(const std::string& page) {
  static const std::regex name("(^|, )(--?[A-Za-z][a-z0-9-]*)");
  std::set<std::string> found;
  std::istringstream lines(page);
  bool tagged = false;
  for (std::string line; std::getline(lines, line);) {
    if (tagged)
      for (std::sregex_iterator it(line.begin(), line.end(), name), end; it != end; ++it)
        found.insert((*it)[2]);
    tagged = line == ".TP";
  }
  return found;
}

class Completion : public ::testing::Test {
 protected:
  Completion() {
    std::ofstream(scratch_ / "headstart.bash") << bash_completion(describe_command_line());
    std::ofstream(scratch_ / "_headstart") << zsh_completion(describe_command_line());
    std::filesystem::create_directories(scratch_ / "place/folder one");
    std::ofstream(scratch_ / "place/file.h5") << "x";
  }

  /// What bash offers for the last of `words`, in a folder that holds "folder one" and file.h5.
  [[nodiscard]] std::vector<std::string> offered(const std::vector<std::string>& words) const {
    const std::string script =
        "source \"$0\" && COMP_WORDS=(headstart \"$@\") && COMP_CWORD=$# && _headstart && "
        "printf '%s\\n' \"${COMPREPLY[@]}\"";
    std::vector<std::string> command{"/usr/bin/env", "bash", "--norc",
                                     "-c",           script, (scratch_ / "headstart.bash").string()};
    command.insert(command.end(), words.begin(), words.end());
    ProcessOptions in_place;
    in_place.directory = (scratch_ / "place").string();
    const ProcessResult result = run_process(command, in_place);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    std::vector<std::string> lines;
    std::istringstream out(result.out);
    for (std::string line; std::getline(out, line);) {
      if (!line.empty()) lines.push_back(line);
    }
    return lines;
  }

  ScratchFolder scratch_;
};

TEST(CommandDescription, HelpIsReadAtAll) {
  const auto all = all_help();
  EXPECT_GE(all.size(), 14U);
  EXPECT_THAT(all.at({"train"}).options,
              IsSupersetOf({"-o", "--out", "--config", "--nesterov", "-h", "--help"}));
  EXPECT_THAT(all.at({"cache"}).commands, IsSupersetOf({"list", "prune"}));
}

TEST(CommandDescription, FlagsTakeNoValueAndOptionsSayWhichTheyTake) {
  const CommandDescription program = describe_command_line();
  const auto& train = program.commands.at(0);
  ASSERT_EQ(train.name, "headstart train");
  const auto kind_of = [&](const std::string& name) {
    for (const OptionDescription& option : train.options)
      if (option.names.back() == name) return option.kind;
    ADD_FAILURE() << name;
    return ValueKind::kNone;
  };
  EXPECT_EQ(kind_of("--nesterov"), ValueKind::kNone);
  EXPECT_EQ(kind_of("--help"), ValueKind::kNone);
  EXPECT_EQ(kind_of("--epochs"), ValueKind::kText);
  EXPECT_EQ(kind_of("--max-rejects"), ValueKind::kText);
  EXPECT_EQ(kind_of("--engine"), ValueKind::kChoice);
  EXPECT_EQ(kind_of("--config"), ValueKind::kFile);
  EXPECT_EQ(kind_of("--out"), ValueKind::kFolder);
}

TEST(ManPage, HasEveryOptionAndCommandThatHelpShows) {
  std::map<std::string, std::string> pages;
  for (const ManPage& page : man_pages(describe_command_line())) pages[page.file] = plain(page.text);
  for (const auto& [words, help] : all_help()) {
    const std::string name = words.empty() ? "headstart" : "headstart-" + words.front();
    ASSERT_TRUE(pages.contains(name + ".1")) << name;
    std::string text = pages[name + ".1"];
    if (words.size() > 1) {  // a section of its command's page
      const std::size_t begin = text.find(".SS headstart " + words[0] + " " + words[1] + "\n");
      ASSERT_NE(begin, std::string::npos) << words[1];
      text = text.substr(begin, text.find("\n.S", begin + 1) - begin);
    }
    EXPECT_THAT(options_on(text), IsSupersetOf(help.options)) << name;
    for (const std::string& command : help.commands) {
      EXPECT_THAT(text, HasSubstr(words.empty() ? "headstart-" + command + "(1)"
                                                : ".SS headstart " + words[0] + " " + command));
    }
  }
}

TEST(ManPage, SaysNothingOfTheMachineThatMadeIt) {
  for (const ManPage& page : man_pages(describe_command_line())) {
    EXPECT_THAT(plain(page.text), Not(::testing::ContainsRegex("Threads of every pool \\[[0-9]+\\]")))
        << page.file;
  }
}

TEST(ManPage, IsReadByManWithoutAWarning) {
  if (run_process({"/usr/bin/env", "man", "--version"}).exit_code != 0) GTEST_SKIP() << "no man here";
  ProcessOptions as_text;
  as_text.environment = {{"LC_ALL", "C.UTF-8"}, {"MANWIDTH", "80"}};
  const ScratchFolder scratch;
  for (const ManPage& page : man_pages(describe_command_line())) {
    std::ofstream(scratch / page.file) << page.text;
    const ProcessResult result = run_process(
        {"/usr/bin/env", "man", "--warnings", "--local-file", (scratch / page.file).string()}, as_text);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "") << page.file;
    EXPECT_THAT(result.out, HasSubstr("SYNOPSIS")) << page.file;
  }
}

TEST_F(Completion, ScriptsParse) {
  EXPECT_EQ(run_process({"/usr/bin/env", "bash", "-n", (scratch_ / "headstart.bash").string()}).err, "");
  if (run_process({"/usr/bin/env", "sh", "-c", "command -v zsh"}).exit_code != 0)
    GTEST_SKIP() << "no zsh here";
  const ProcessResult result = run_process({"/usr/bin/env", "zsh", "-n", (scratch_ / "_headstart").string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(Completion, OffersEveryOptionAndCommandThatHelpShows) {
  const std::string zsh = zsh_completion(describe_command_line());
  for (const auto& [words, help] : all_help()) {
    std::vector<std::string> line = words;
    line.emplace_back("-");
    const std::vector<std::string> options = offered(line);
    EXPECT_THAT(options, IsSupersetOf(help.options)) << ::testing::PrintToString(words);
    if (!help.commands.empty()) {
      line.back() = "";
      EXPECT_EQ(offered(line), help.commands);
    }
    std::string function = "\n_headstart";
    for (const std::string& word : words) function += "_" + word;
    const std::size_t begin = zsh.find(function + "() {");
    ASSERT_NE(begin, std::string::npos) << function;
    const std::string body = zsh.substr(begin, zsh.find("\n}\n", begin) - begin);
    for (const std::string& option : help.options)
      EXPECT_THAT(body, ::testing::ContainsRegex("\\)" + option + "[=+[]")) << function;
  }
}

TEST_F(Completion, OffersTheWordsOfAChoice) {
  EXPECT_THAT(offered({"train", "--solver", ""}), ElementsAre("auto", "gram", "primal"));
  EXPECT_THAT(offered({"train", "images", "--solver", "g"}), ElementsAre("gram"));
  EXPECT_THAT(offered({"train", "--solver", "="}), ElementsAre("auto", "gram", "primal"));
  EXPECT_THAT(offered({"train", "--solver", "=", "p"}), ElementsAre("primal"));
  EXPECT_THAT(offered({"cache", "export", "--dtype", ""}), ElementsAre("float32", "float16"));
}

TEST_F(Completion, OffersPathsWhereOneIsWantedAndNothingBehindANumber) {
  EXPECT_THAT(offered({"train", "fo"}), ElementsAre("folder one"));
  EXPECT_THAT(offered({"predict", "fi"}), ElementsAre("file.h5"));
  EXPECT_THAT(offered({"train", "--weights", "f"}), ::testing::UnorderedElementsAre("file.h5", "folder one"));
  EXPECT_THAT(offered({"train", "--cache", "f"}), ElementsAre("folder one"));
  EXPECT_THAT(offered({"train", "--epochs", ""}), ElementsAre());
  EXPECT_THAT(offered({"train", "--nesterov", "fi"}), ElementsAre("file.h5"));
}

TEST_F(Completion, CompletesInZsh) {
  if (run_process({"/usr/bin/env", "sh", "-c", "command -v zsh"}).exit_code != 0)
    GTEST_SKIP() << "no zsh here";
  // A shell on a terminal of its own: what Tab makes of the line is read off the screen.
  const std::string script = R"(
    zmodload zsh/zpty && zpty shell zsh -f -i
    zpty -w shell "PS1= RPS1= && fpath=('$1' \$fpath) && autoload -U compinit && compinit -u -D && bindkey '^I' complete-word && echo re''ady"
    zpty -r -m shell text '*ready*'
    zpty -w -n shell "headstart $2"$'\t'
    zpty -r -m shell text "*$3*" && print found
    zpty -d shell)";
  const auto completes = [&](const std::string& line, const std::string& to) {
    const ProcessResult result = run_process({"/usr/bin/env", "timeout", "60", "zsh", "-f", "-c", script,
                                              "zsh", scratch_.path().string(), line, to});
    EXPECT_EQ(result.out, "found\n") << line << "\n" << result.err;
  };
  completes("extr", "headstart extract");
  completes("train --nest", "--nesterov");
  completes("train --solver pr", "primal");
  completes("cache pru", "cache prune");
}

}  // namespace
}  // namespace headstart::test
