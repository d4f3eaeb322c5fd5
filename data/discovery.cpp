// data/discovery.cpp
