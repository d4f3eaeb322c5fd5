// pipeline/text_table.cpp
