// features/extractor.cpp
