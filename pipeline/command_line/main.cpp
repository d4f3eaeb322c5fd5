// pipeline/command_line/main.cpp
#include "pipeline/command_line/command_line.hpp"

int main(int argc, char** argv) { return headstart::run_command_line(argc, argv); }
