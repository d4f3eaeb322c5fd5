// features/plugin.hpp: a library of ours that is loaded when somebody asks for it, because what it is linked
// with takes long to load. It stands beside the binary, or in PREFIX/lib/headstart/plugins where that is
// PREFIX/bin/headstart.
#pragma once

#include <string>
#include <variant>

namespace headstart {

/// A loaded plugin. It stays loaded: threads of what it brings may outlive its last use.
class Plugin {
 public:
  /// headstart_NAME.so, of this version; or why there is none.
  /// @param title  what people call it
  [[nodiscard]] static std::variant<Plugin, std::string> load(const std::string& name,
                                                              const std::string& title);

  /// The function of that name, which this version exports.
  template <typename Function>
  [[nodiscard]] Function function(const char* name) const {
    return reinterpret_cast<Function>(symbol(name));
  }

 private:
  explicit Plugin(void* library) : library_(library) {}
  [[nodiscard]] void* symbol(const char* name) const;

  void* library_;
};

/// What each plugin exports beside its own functions: HEADSTART_VERSION.
using PluginVersion = const char* (*)();
inline constexpr const char* kPluginVersionName = "headstart_plugin_version";

}  // namespace headstart
