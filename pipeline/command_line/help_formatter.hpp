// pipeline/command_line/help_formatter.hpp: the layout of --help: "--epochs N      Passes over the training
// images [10]".
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace headstart {

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter();
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_description(const CLI::App* app) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
};

}  // namespace headstart
