// data/exif_orientation.cpp
