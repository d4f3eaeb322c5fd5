// features/self_check.cpp
