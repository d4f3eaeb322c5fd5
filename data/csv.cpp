// data/csv.cpp
