// data/decode.cpp
