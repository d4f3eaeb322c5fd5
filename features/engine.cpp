// features/engine.cpp
