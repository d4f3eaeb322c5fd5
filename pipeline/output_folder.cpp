// pipeline/output_folder.cpp
