// pipeline/evaluate_command.cpp
