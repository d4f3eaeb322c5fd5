// head/dense.cpp
