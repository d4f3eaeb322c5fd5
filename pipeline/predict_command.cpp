// pipeline/predict_command.cpp
