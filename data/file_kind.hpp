// data/file_kind.hpp: which files of a dataset are images, by their names, and by their first bytes where a
// name says nothing. Images in formats that headstart can't read are images too: each is a reject with a
// reason. Rule for people: docs/layouts.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace headstart {

/// What a file in a dataset is taken for.
enum class FileKind {
  kImage,
  kSideFile,  ///< passed over: labels, notes, archives, films
};

/// Bytes that is_image_start() wants to see.
inline constexpr std::size_t kImageStartBytes = 32;

/// By the suffix, in any case; nothing where it is missing or says nothing: then the first bytes decide.
[[nodiscard]] std::optional<FileKind> kind_by_name(std::string_view name);

/// Whether a file that begins so is an image, whether headstart reads its format or not.
[[nodiscard]] bool is_image_start(std::span<const std::byte> start);

/// kind_by_name(), else by the first bytes of `file`. One that can't be opened is an image: reading it gives
/// the reason.
[[nodiscard]] FileKind kind_of_file(const std::filesystem::path& file);

/// "jpg" of "a/b.JPG"; "" without a dot in the last part.
[[nodiscard]] std::string suffix_of(std::string_view name);

/// Whether an image's suffix, without the dot and in any case, is `suffix`.
[[nodiscard]] bool is_image_suffix(std::string_view suffix);

/// Whether a file or folder of that name is no part of any dataset: hidden, or left by an operating system.
[[nodiscard]] bool is_clutter(std::string_view name);

}  // namespace headstart
