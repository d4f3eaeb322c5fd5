// pipeline/progress.cpp
