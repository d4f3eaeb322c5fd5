// data/manifest.cpp
