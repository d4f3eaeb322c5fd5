// data/sha256.cpp
