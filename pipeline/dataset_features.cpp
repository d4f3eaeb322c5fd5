// pipeline/dataset_features.cpp
