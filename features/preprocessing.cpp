// features/preprocessing.cpp
