// tests/features/engines/made_up_plugin.cpp: a plugin of a version that never was.
extern "C" {
const char* headstart_plugin_version();
const char* headstart_plugin_version() { return "0.0.0"; }
}
