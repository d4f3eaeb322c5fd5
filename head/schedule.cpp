// head/schedule.cpp
