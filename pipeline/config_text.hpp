// pipeline/config_text.hpp: one section of a config.toml, changed line by line: what a run resolved, with
// what it decided on the way.
#pragma once

#include <string>
#include <vector>

namespace headstart {

/// Lines of `key=value`; comments stay where they are.
class ConfigText {
 public:
  /// @param text     one section with its header
  /// @param section  its new name
  ConfigText(const std::string& text, const std::string& section);

  /// Replaces the value of `key`, or appends it.
  void set(const std::string& key, const std::string& value);
  /// Removes `key` with the comments above it.
  void erase(const std::string& key);
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace headstart
