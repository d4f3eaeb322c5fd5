// head/primal_kernel.cpp
