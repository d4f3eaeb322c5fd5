// pipeline/command_line/write_reference.cpp: headstart_reference FOLDER: writes manual pages to FOLDER/man
// and completion scripts to FOLDER/completion, at build time, for installation.
#include <cstdio>
#include <exception>
#include <filesystem>

#include "pipeline/command_line/command_line.hpp"
#include "pipeline/command_line/man_page.hpp"
#include "pipeline/command_line/shell_completion.hpp"
#include "pipeline/process/write_file.hpp"

int main(int argc, char** argv) {
  using namespace headstart;
  if (argc != 2) {
    std::fputs("headstart_reference: error: wrong usage: it takes one argument: name the folder to write\n",
               stderr);
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder / "man");
    std::filesystem::create_directories(folder / "completion");
    const CommandDescription program = describe_command_line();
    for (const ManPage& page : man_pages(program)) write_file(folder / "man" / page.file, page.text);
    write_file(folder / "completion/headstart.bash", bash_completion(program));
    write_file(folder / "completion/_headstart", zsh_completion(program));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "headstart_reference: error: %s\n", error.what());
    return 1;
  }
  return 0;
}
