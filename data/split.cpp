// data/split.cpp
