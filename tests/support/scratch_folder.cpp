// tests/support/scratch_folder.cpp
#include "tests/support/scratch_folder.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace headstart::test {

ScratchFolder::ScratchFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "headstart-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create " + pattern);
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace headstart::test
