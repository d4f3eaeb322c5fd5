// pipeline/write_file.hpp: a file written whole, or an error that says why not.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

namespace headstart {

/// Creates or replaces `file`, whole: after a failure it is what it was (pipeline/unfinished_file.hpp).
/// @throws Error kFailed naming the file and the reason
void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& file, std::string_view text);
/// One part after the other.
void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts);

/// Takes the next bytes of a file.
using WriteBytes = std::function<void(std::span<const std::byte>)>;
/// The same, of bytes that `produce` makes one part after the other. What `produce` throws goes on to the
/// caller.
void write_file(const std::filesystem::path& file, const std::function<void(const WriteBytes&)>& produce);

}  // namespace headstart
