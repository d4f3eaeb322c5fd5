// features/csr_rows.cpp
