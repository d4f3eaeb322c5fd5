// pipeline/rows/feature_file_error.cpp
#include "pipeline/rows/feature_file_error.hpp"

#include <fmt/format.h>

#include "data/error.hpp"

namespace headstart {

void refuse_features(const std::filesystem::path& file, std::string_view why) {
  throw Error{Error::Kind::kFailed, "cannot use a file of features",
              fmt::format("{}: {}", printable(file.string()), why),
              "make it with `headstart cache export`, or as docs/features-file.md says"};
}

}  // namespace headstart
