// pipeline/extract_command.cpp
