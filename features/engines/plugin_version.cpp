// features/engines/plugin_version.cpp: only plugins compile this file.
#include "features/engines/plugin.hpp"

namespace headstart {

const char* headstart_plugin_version() { return HEADSTART_VERSION; }

}  // namespace headstart
