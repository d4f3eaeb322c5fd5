// pipeline/process/write_file.hpp: writes a file as a whole, or throws an error with the reason.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace headstart {

/// Creates or replaces `file`. After a failure an existing file is unchanged
/// (pipeline/process/unfinished_file.hpp).
/// @throws Error kFailed with the file and the reason
void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& file, std::string_view text);
/// Writes the parts one after another.
void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts);

/// A function that takes the next bytes of a file.
using WriteBytes = std::function<void(std::span<const std::byte>)>;
/// Writes the bytes that `produce` makes, one part after another. Exceptions of `produce` reach the caller.
void write_file(const std::filesystem::path& file, const std::function<void(const WriteBytes&)>& produce);

}  // namespace headstart
