// features/engines/plugin.hpp: a library of headstart that is loaded on demand, because its dependencies take
// long to load. The library stands beside the binary. If the binary is PREFIX/bin/headstart, the library is
// in PREFIX/lib/headstart/plugins.
#pragma once

#include <string>
#include <variant>

namespace headstart {

/// A loaded plugin. It is never unloaded, because threads of its libraries may outlive its last use.
class Plugin {
 public:
  /// headstart_NAME.so of this version, or why it can't be loaded.
  /// @param title  the name for people
  [[nodiscard]] static std::variant<Plugin, std::string> load(const std::string& name,
                                                              const std::string& title);

  /// The function `name`, which this version of the plugin exports.
  template <typename Function>
  [[nodiscard]] Function function(const char* name) const {
    return reinterpret_cast<Function>(symbol(name));
  }

 private:
  explicit Plugin(void* library) : library_(library) {}
  [[nodiscard]] void* symbol(const char* name) const;

  void* library_;
};

/// The function that each plugin exports in addition to its own; it returns HEADSTART_VERSION.
using PluginVersion = const char* (*)();
inline constexpr const char* kPluginVersionName = "headstart_plugin_version";

}  // namespace headstart
