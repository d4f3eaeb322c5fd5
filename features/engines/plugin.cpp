// features/engines/plugin.cpp
#include "features/engines/plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

namespace headstart {

std::variant<void*, std::string> find_in_plugin(const std::string& plugin, const char* function) {
  const std::string name = fmt::format("headstart_{}.so", plugin);
  std::error_code error;
  const std::filesystem::path beside = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return fmt::format("{} can't be looked for: /proc/self/exe: {}", name, error.message());
  const std::filesystem::path installed = beside.parent_path() / "lib/headstart/plugins";
  std::filesystem::path file = beside / name;
  if (!std::filesystem::exists(file, error)) file = installed / name;
  if (!std::filesystem::exists(file, error))
    return fmt::format("{} is neither beside the program nor in {}", name, printable(installed.string()));
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const why = dlerror();
    return fmt::format("{} can't be loaded: {}", name, why != nullptr ? why : "unknown");
  }
  const auto version =
      reinterpret_cast<decltype(&headstart_plugin_version)>(dlsym(library, kPluginVersionName));
  if (version == nullptr || version() != std::string(HEADSTART_VERSION))
    return fmt::format("{} is of another version", name);
  return dlsym(library, function);
}

}  // namespace headstart
