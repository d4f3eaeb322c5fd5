// pipeline/write_file.hpp: a file written whole, or an error that says why not.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace headstart {

/// Creates or overwrites `file` and checks that all of it arrived. @throws Error kFailed naming the file and
/// the reason
void write_file(const std::filesystem::path& file, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& file, std::string_view text);
/// One part after the other.
void write_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts);
/// The same beside `file`, then renamed: it is whole, or as it was.
void replace_file(const std::filesystem::path& file, std::span<const std::span<const std::byte>> parts);

}  // namespace headstart
