// pipeline/command_line/man_page.hpp: manual pages, section 1, from the description of the command line.
// There is one page for the program and one for each command. A command's subcommands are on its page, as in
// git-stash(1).
#pragma once

#include <string>
#include <vector>

#include "pipeline/command_line/command_description.hpp"

namespace headstart {

struct ManPage {
  std::string file;  ///< "headstart-train.1"
  std::string text;  ///< for troff with the macros of man(7); ASCII if the descriptions are ASCII
};

/// The program's page comes first. Equal descriptions give equal pages: there is no date in them.
[[nodiscard]] std::vector<ManPage> man_pages(const CommandDescription& program);

}  // namespace headstart
