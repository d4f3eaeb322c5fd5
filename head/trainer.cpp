// head/trainer.cpp
