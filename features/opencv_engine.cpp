// features/opencv_engine.cpp
