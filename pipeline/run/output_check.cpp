// pipeline/run/output_check.cpp
#include "pipeline/run/output_check.hpp"

#include <fmt/format.h>

#include <system_error>

#include "data/error.hpp"
#include "pipeline/process/unfinished_file.hpp"

namespace headstart {

namespace fs = std::filesystem;

void check_output(const char* option, const fs::path& output, const std::vector<fs::path>& inputs) {
  if (output.empty()) return;
  for (const fs::path& input : inputs) {
    std::error_code missing;  // a missing file counts as no file
    if (fs::is_regular_file(input, missing) && fs::equivalent(input, output, missing)) {
      throw Error{Error::Kind::kUsage, "the output is an input",
                  fmt::format("{}: {} is {}", option, printable(output.string()), printable(input.string())),
                  "name another file"};
    }
  }
  const UnfinishedFile trial(output);
}

}  // namespace headstart
