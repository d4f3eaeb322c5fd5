// data/archive/archive_member.cpp: see archive_member.hpp.
#include "data/archive/archive_member.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace headstart {
namespace {

/// The name without empty parts and "." parts. Nothing for a name that is empty or absolute, or that leads
/// out.
std::optional<std::string> normalised(std::string_view name) {
  if (name.starts_with('/')) return std::nullopt;
  std::string result;
  while (!name.empty()) {
    const std::string_view part = name.substr(0, name.find('/'));
    name.remove_prefix(std::min(name.size(), part.size() + 1));
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    if (!result.empty()) result += '/';
    result += part;
  }
  if (result.empty()) return std::nullopt;
  return result;
}

}  // namespace

ArchiveMember named_member(std::uint64_t position, ArchiveMember::Kind kind, std::string_view stored) {
  ArchiveMember member{position, kind, {}};
  const bool is_top = kind == ArchiveMember::Kind::kFolder && (stored == "." || stored == "./");
  if (auto name = normalised(stored)) {
    member.name = std::move(*name);
  } else if (!is_top) {
    member.kind = ArchiveMember::Kind::kUnsafe;
  }
  return member;
}

}  // namespace headstart
