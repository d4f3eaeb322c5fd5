// data/error.cpp
