// features/onednn_engine.cpp
