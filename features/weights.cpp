// features/weights.cpp
