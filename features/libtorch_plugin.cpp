// features/libtorch_plugin.cpp: see libtorch_blocks.hpp. libtorch takes 0.3 s and 400 MB of libraries to
// load, so it is a plugin beside the binary, or in PREFIX/lib/headstart where that is PREFIX/bin/headstart,
// and is loaded when somebody asks for it.
#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <variant>

#include "data/error.hpp"
#include "features/libtorch_blocks.hpp"

namespace headstart {
namespace {

constexpr const char* kFile = "headstart_libtorch.so";

/// The plugin's functions.
struct Plugin {
  LibtorchOpen open = nullptr;
  LibtorchProbe probe = nullptr;
};

std::string last_failure() {
  const char* const text = dlerror();
  return text != nullptr ? text : "unknown";
}

/// The plugin, or why there is none. It stays loaded: libtorch's threads outlive its last use.
const std::variant<Plugin, std::string>& plugin() {
  static const std::variant<Plugin, std::string> loaded = []() -> std::variant<Plugin, std::string> {
    std::error_code error;
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
    std::filesystem::path file = self.parent_path() / kFile;
    if (!std::filesystem::exists(file, error))
      file = self.parent_path().parent_path() / "lib/headstart" / kFile;
    if (error || !std::filesystem::exists(file, error)) return "this build has no libtorch";
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return "libtorch can't be loaded: " + last_failure();
    const auto symbol = [&](const char* name) { return dlsym(library, name); };
    const auto version = reinterpret_cast<LibtorchVersion>(symbol(kLibtorchVersionName));
    if (version == nullptr || version() != std::string(HEADSTART_VERSION))
      return fmt::format("{} is of another version", kFile);
    return Plugin{reinterpret_cast<LibtorchOpen>(symbol(kLibtorchOpenName)),
                  reinterpret_cast<LibtorchProbe>(symbol(kLibtorchProbeName))};
  }();
  return loaded;
}

}  // namespace

std::unique_ptr<TrainableBlocks> open_libtorch_blocks(const Vgg16Weights& weights,
                                                      const BlocksOptions& options) {
  if (const auto* const why = std::get_if<std::string>(&plugin())) {
    throw Error{Error::Kind::kFailed, *why, "--backprop libtorch",
                "leave it out, or build with libtorch (Debian: libtorch-dev)"};
  }
  return std::unique_ptr<TrainableBlocks>(std::get<Plugin>(plugin()).open(weights, options));
}

BackpropAvailability probe_libtorch_blocks() {
  if (const auto* const why = std::get_if<std::string>(&plugin())) return {Backprop::kLibtorch, false, *why};
  BackpropAvailability found{Backprop::kLibtorch, false, {}};
  std::get<Plugin>(plugin()).probe(found);
  return found;
}

}  // namespace headstart
