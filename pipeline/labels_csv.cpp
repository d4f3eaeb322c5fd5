// pipeline/labels_csv.cpp
