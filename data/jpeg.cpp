// data/jpeg.cpp
