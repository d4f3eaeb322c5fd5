// features/engines/plugin.hpp: finds functions in plugins. A plugin is a library of headstart that is loaded
// on demand, because its dependencies take long to load. It stands beside the program. If the program is
// PREFIX/bin/headstart, it may also be in PREFIX/lib/headstart/plugins.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "data/error.hpp"
#include "features/engines/availability.hpp"

namespace headstart {

/// A function that a plugin exports.
/// @tparam Function  its type. Program and plugin are of one build, so C++ types may be passed
template <typename Function>
struct PluginFunction {
  const char* plugin;  ///< "opencv": the function is in headstart_opencv.so
  const char* name;    ///< its symbol
};

/// Loads headstart_PLUGIN.so of this version, if it is not loaded yet. It is never unloaded, because threads
/// of its libraries may outlive its last use.
/// @return the address of `function`, or why the plugin can't be loaded
[[nodiscard]] std::variant<void*, std::string> find_in_plugin(const std::string& plugin,
                                                              const char* function);

/// What a plugin's function makes of `arguments`: an engine, or trainable blocks.
/// @param who     what errors call it: "engine opencv"
/// @param advice  what the user can do if the plugin can't be loaded
/// @throws Error kFailed saying why the plugin can't be loaded; and what the function throws
template <typename Made, typename... Parameters>
[[nodiscard]] std::unique_ptr<Made> open_in_plugin(const PluginFunction<Made*(Parameters...)>& open,
                                                   std::string_view who, std::string_view advice,
                                                   std::type_identity_t<Parameters>... arguments) {
  const auto found = find_in_plugin(open.plugin, open.name);
  if (const auto* const why = std::get_if<std::string>(&found))
    throw Error(Error::Kind::kFailed, std::string(who) + " is not available", *why, advice);
  return std::unique_ptr<Made>(
      reinterpret_cast<Made* (*)(Parameters...)>(std::get<void*>(found))(arguments...));
}

/// What a plugin's function says of `arguments`; not available if the plugin can't be loaded.
template <typename... Parameters>
[[nodiscard]] Availability probe_in_plugin(const PluginFunction<void(Availability&, Parameters...)>& probe,
                                           std::type_identity_t<Parameters>... arguments) {
  const auto address = find_in_plugin(probe.plugin, probe.name);
  if (const auto* const why = std::get_if<std::string>(&address)) return {false, *why};
  Availability found;
  reinterpret_cast<void (*)(Availability&, Parameters...)>(std::get<void*>(address))(found, arguments...);
  return found;
}

// ---- what each plugin exports beside its own functions

/// HEADSTART_VERSION.
extern "C" const char* headstart_plugin_version();
inline constexpr const char* kPluginVersionName = "headstart_plugin_version";

}  // namespace headstart
