// head/metrics.cpp
