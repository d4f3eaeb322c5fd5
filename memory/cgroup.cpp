// memory/cgroup.cpp: see cgroup.hpp.
#include "memory/cgroup.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {
namespace {

namespace fs = std::filesystem;

/// The key of version 2, which has all its controllers in one hierarchy: /proc/self/cgroup lists it without a
/// name.
const std::string kUnified;

/// Splits "a,b" into a and b; "" gives one empty word.
std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> words(1);
  for (const char c : list) {
    if (c == ',') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

/// Undoes the escapes of mountinfo, which writes blanks, tabs, line feeds and backslashes as \ooo.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

/// The folder where a hierarchy is mounted, and the group that is the top of the mount.
struct Mount {
  fs::path point;
  std::string top;
};

/// By controller, with kUnified for version 2. Of several mounts of one controller, the first one.
std::map<std::string, Mount> mounts(const fs::path& root) {
  std::map<std::string, Mount> result;
  std::ifstream lines(root / "proc/self/mountinfo");
  for (std::string line; std::getline(lines, line);) {
    // id parent device top point options [optional...] - type source options
    std::istringstream fields(line);
    std::string skipped;
    std::string top;
    std::string point;
    fields >> skipped >> skipped >> skipped >> top >> point;
    while (fields >> skipped && skipped != "-") continue;
    std::string type;
    std::string options;
    fields >> type >> skipped >> options;
    const Mount mount{root / fs::path(unescaped(point)).relative_path(), unescaped(top)};
    if (type == "cgroup2") result.emplace(kUnified, mount);
    if (type != "cgroup") continue;
    for (const std::string& controller : words_of(options)) result.emplace(controller, mount);
  }
  return result;
}

/// The process's own group in each hierarchy, by controller. A line is "number:controllers:path".
std::map<std::string, std::string> groups(const fs::path& root) {
  std::map<std::string, std::string> result;
  std::ifstream lines(root / "proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    for (const std::string& controller : words_of(line.substr(first + 1, second - first - 1)))
      result.emplace(controller, line.substr(second + 1));
  }
  return result;
}

/// The folder of `group` below `mount`. A container may show the host's path of the group; the mount has only
/// the last part of that path.
fs::path folder_of(const Mount& mount, std::string group) {
  if (mount.top != "/" && group.starts_with(mount.top)) group.erase(0, mount.top.size());
  fs::path folder = mount.point;
  for (const fs::path& part : fs::path(group).relative_path()) {
    if (part == "..") return mount.point;  // the group is outside of the mount
    folder /= part;
  }
  return folder;
}

/// The number at the start of `file`; nothing for "max".
std::optional<double> number(const fs::path& file) {
  std::ifstream stream(file);
  double value = 0.0;
  if (stream >> value) return value;
  return std::nullopt;
}

double bytes_of_level(const fs::path& level, bool unified) {
  double limit = std::numeric_limits<double>::infinity();
  // The kernel slows a group down while the group uses more than memory.high.
  const std::vector<const char*> files =
      unified ? std::vector{"memory.max", "memory.high"} : std::vector{"memory.limit_in_bytes"};
  for (const char* file : files) limit = std::min(limit, number(level / file).value_or(limit));
  return limit;
}

double processors_of_level(const fs::path& level, bool unified) {
  double quota = 0.0;
  double period = 0.0;
  if (unified) {
    std::ifstream(level / "cpu.max") >> quota >> period;  // "quota period" or "max period"
  } else {
    quota = number(level / "cpu.cfs_quota_us").value_or(-1.0);  // -1: no limit
    period = number(level / "cpu.cfs_period_us").value_or(0.0);
  }
  return quota > 0.0 && period > 0.0 ? quota / period : std::numeric_limits<double>::infinity();
}

}  // namespace

CgroupLimits cgroup_limits(const fs::path& root) {
  const auto mounted = mounts(root);
  const auto own = groups(root);
  const auto smallest = [&](const std::string& controller, double (*of_level)(const fs::path&, bool)) {
    double limit = std::numeric_limits<double>::infinity();
    for (const std::string& hierarchy : {controller, kUnified}) {
      const auto mount = mounted.find(hierarchy);
      const auto group = own.find(hierarchy);
      if (mount == mounted.end() || group == own.end()) continue;
      for (fs::path level = folder_of(mount->second, group->second);; level = level.parent_path()) {
        limit = std::min(limit, of_level(level, hierarchy == kUnified));
        if (level == mount->second.point) break;
      }
    }
    return limit;
  };
  CgroupLimits limits;
  // Version 1 writes a number near 2^63 for "no limit".
  if (const double bytes = smallest("memory", bytes_of_level); bytes < 0x1p62)
    limits.memory = static_cast<std::int64_t>(bytes);
  limits.processors = smallest("cpu", processors_of_level);
  return limits;
}

}  // namespace headstart
