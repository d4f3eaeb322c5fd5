// features/keras_weights.cpp
