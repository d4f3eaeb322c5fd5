// head/softmax_cross_entropy.cpp
