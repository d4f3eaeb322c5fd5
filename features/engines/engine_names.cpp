// features/engines/engine_names.cpp: the names of the values in engine.hpp. Plugins also compile this file.
#include <fmt/format.h>

#include <array>

#include "features/engines/engine.hpp"

namespace headstart {
namespace {

struct NamedKind {
  EngineKind kind;
  std::string_view name;
};

constexpr std::array<NamedKind, 6> kKinds{{
    {EngineKind::kAuto, "auto"},
    {EngineKind::kNative, "native"},
    {EngineKind::kOnednn, "onednn"},
    {EngineKind::kOpencv, "opencv"},
    {EngineKind::kOpencvCuda, "opencv-cuda"},
    {EngineKind::kOpencvCudaFp16, "opencv-cuda-fp16"},
}};

}  // namespace

std::string_view to_string(EngineKind kind) noexcept {
  for (const NamedKind& named : kKinds) {
    if (named.kind == kind) return named.name;
  }
  return "unknown";
}

std::optional<EngineKind> parse_engine_kind(std::string_view name) noexcept {
  for (const NamedKind& named : kKinds) {
    if (named.name == name) return named.kind;
  }
  return std::nullopt;
}

Precision precision_of(EngineKind kind) noexcept {
  return kind == EngineKind::kOpencvCudaFp16 ? Precision::kFp16 : Precision::kFp32;
}

std::string from_tap(std::optional<Tap> from) {
  return from ? fmt::format(", from {}", to_string(*from)) : std::string();
}

}  // namespace headstart
