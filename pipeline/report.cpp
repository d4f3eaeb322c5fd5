// pipeline/report.cpp
