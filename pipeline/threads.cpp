// pipeline/threads.cpp
