// pipeline/man_page.hpp: manual pages, section 1, from the command line's description: one for the program,
// one for each of its commands; a command's subcommands are on its own page, as git-stash(1) has them.
#pragma once

#include <string>
#include <vector>

#include "pipeline/command_description.hpp"

namespace headstart {

struct ManPage {
  std::string file;  ///< "headstart-train.1"
  std::string text;  ///< for troff with the macros of man(7), ASCII where the descriptions are
};

/// The program's page first. Equal descriptions give equal bytes: there is no date in them.
[[nodiscard]] std::vector<ManPage> man_pages(const CommandDescription& program);

}  // namespace headstart
