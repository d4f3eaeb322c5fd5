// pipeline/metrics_json.cpp
