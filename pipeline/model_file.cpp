// pipeline/model_file.cpp
