// features/hdf5.cpp
