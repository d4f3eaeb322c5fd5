// head/random.cpp
