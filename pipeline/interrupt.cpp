// pipeline/interrupt.cpp
