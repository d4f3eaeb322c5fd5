// data/image_header.cpp
