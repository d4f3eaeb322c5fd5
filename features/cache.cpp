// features/cache.cpp
