// pipeline/command_line/main.cpp
#include <cstdio>
#include <cstdlib>

#include "head/run_unless_cancelled.hpp"
#include "pipeline/command_line/command_line.hpp"

int main(int argc, char** argv) {
  const int code = headstart::run_command_line(argc, argv);
  if (headstart::detached_computations() > 0) {
    std::fflush(nullptr);
    std::_Exit(code);
  }
  return code;
}
