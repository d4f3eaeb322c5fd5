// features/engines/plugin.cpp
#include "features/engines/plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

namespace headstart {
namespace {

std::string last_failure() {
  const char* const text = dlerror();
  return text != nullptr ? text : "unknown";
}

}  // namespace

std::variant<Plugin, std::string> Plugin::load(const std::string& name, const std::string& title) {
  const std::string file_name = fmt::format("headstart_{}.so", name);
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::filesystem::path file = self.parent_path() / file_name;
  if (!std::filesystem::exists(file, error))
    file = self.parent_path().parent_path() / "lib/headstart/plugins" / file_name;
  if (error || !std::filesystem::exists(file, error)) return fmt::format("this build has no {}", title);
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return fmt::format("{} can't be loaded: {}", title, last_failure());
  const Plugin plugin(library);
  const auto version = plugin.function<PluginVersion>(kPluginVersionName);
  if (version == nullptr || version() != std::string(HEADSTART_VERSION))
    return fmt::format("{} is of another version", file_name);
  return plugin;
}

void* Plugin::symbol(const char* name) const { return dlsym(library_, name); }

}  // namespace headstart
