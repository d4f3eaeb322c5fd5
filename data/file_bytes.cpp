// data/file_bytes.cpp
