// features/segment.cpp
