// features/extractor_configuration.cpp
