// pipeline/command_line.cpp
