// pipeline/rows/feature_file_error.hpp: the error for a file of features that can't be trained on.
#pragma once

#include <filesystem>
#include <string_view>

namespace headstart {

/// @param file  the file that is wrong, which may lie beside the one that was named
/// @throws Error kFailed with file and reason
[[noreturn]] void refuse_features(const std::filesystem::path& file, std::string_view why);

}  // namespace headstart
