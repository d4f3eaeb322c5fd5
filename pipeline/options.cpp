// pipeline/options.cpp
