// data/file_kind.hpp: decides which files of a dataset are images: by the name, or by the first bytes where
// the name says nothing. Images in formats that headstart can't read count as images, too: each is a reject
// with a reason. Rule for people: docs/layouts.md.
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
  kSideFile,  ///< skipped: labels, notes, archives, films
};

/// How many first bytes is_image_start() wants.
inline constexpr std::size_t kImageStartBytes = 32;

/// The kind by the suffix, in any case. Nothing if the suffix is missing or unknown; then the first bytes
/// decide.
[[nodiscard]] std::optional<FileKind> kind_by_name(std::string_view name);

/// Whether a file with these first bytes is an image, in a format that headstart reads or in another.
[[nodiscard]] bool is_image_start(std::span<const std::byte> start);

/// kind_by_name(), else the kind by the first bytes of `file`. A file that can't be opened counts as an
/// image: reading it gives the reason.
[[nodiscard]] FileKind kind_of_file(const std::filesystem::path& file);

/// "jpg" of "a/b.JPG"; "" if the last part has no dot.
[[nodiscard]] std::string suffix_of(std::string_view name);

/// Whether `suffix`, without the dot and in any case, is an image's.
[[nodiscard]] bool is_image_suffix(std::string_view suffix);

/// Whether a file or folder of that name is never part of a dataset: it is hidden, or left by an operating
/// system.
[[nodiscard]] bool is_clutter(std::string_view name);

}  // namespace headstart
