// head/primal_solver.cpp
