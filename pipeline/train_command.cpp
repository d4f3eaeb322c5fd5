// pipeline/train_command.cpp
