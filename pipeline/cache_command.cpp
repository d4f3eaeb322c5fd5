// pipeline/cache_command.cpp
