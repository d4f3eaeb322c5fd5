// data/resize.cpp
