// tests/support/archive_file.hpp: makes archives, by libarchive's writer, and damages them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace headstart::test {

struct ArchiveEntry {
  enum class Kind { kFile, kFolder, kSymbolicLink, kHardLink, kFifo };
  std::string name;
  std::string content;  ///< of a file; the target of a link
  Kind kind = Kind::kFile;
};

enum class ArchiveKind {
  kTar,  ///< GNU's, which keeps any bytes as names
  kPax,  ///< POSIX's, which has names in UTF-8
  kTarGz,
  kTarZst,
  kTarBz2,
  kTarXz,
  kZip,        ///< deflated
  kZipStored,  ///< with what it holds as it is
};

/// Fails the program if it can't be written.
void write_archive(const std::filesystem::path& file, ArchiveKind kind,
                   const std::vector<ArchiveEntry>& entries);

[[nodiscard]] std::string read_bytes(const std::filesystem::path& file);
void write_bytes(const std::filesystem::path& file, const std::string& bytes);

/// Every place of `bytes` where `mark` stands, as "PK\3\4" before each local header of a .zip.
[[nodiscard]] std::vector<std::size_t> places_of(const std::string& bytes, const std::string& mark);
/// Where the data of each member of a .zip begins: behind its local header, name and extra fields. How long
/// these are, libarchive's versions see differently.
[[nodiscard]] std::vector<std::size_t> zip_data_of(const std::string& bytes);

}  // namespace headstart::test
