// head/first_layer.cpp
