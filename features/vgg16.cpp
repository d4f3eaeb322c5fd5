// features/vgg16.cpp
