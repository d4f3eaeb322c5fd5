// pipeline/info_command.cpp
