// tests/support/archive_file.cpp
#include "tests/support/archive_file.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace headstart::test {
namespace {

void check(int code, archive* handle) {
  if (code < ARCHIVE_OK)
    throw std::runtime_error(std::string("cannot write an archive: ") + archive_error_string(handle));
}

void choose(archive* handle, ArchiveKind kind) {
  switch (kind) {
    case ArchiveKind::kTar:
    case ArchiveKind::kTarGz:
    case ArchiveKind::kTarZst:
    case ArchiveKind::kTarBz2:
    case ArchiveKind::kTarXz:
      check(archive_write_set_format_gnutar(handle), handle);
      break;
    case ArchiveKind::kPax:
      check(archive_write_set_format_pax(handle), handle);
      break;
    case ArchiveKind::kZip:
    case ArchiveKind::kZipStored:
      check(archive_write_set_format_zip(handle), handle);
      check(archive_write_set_options(
                handle, kind == ArchiveKind::kZip ? "zip:compression=deflate" : "zip:compression=store"),
            handle);
  }
  if (kind == ArchiveKind::kTarGz) check(archive_write_add_filter_gzip(handle), handle);
  if (kind == ArchiveKind::kTarZst) check(archive_write_add_filter_zstd(handle), handle);
  if (kind == ArchiveKind::kTarBz2) check(archive_write_add_filter_bzip2(handle), handle);
  if (kind == ArchiveKind::kTarXz) check(archive_write_add_filter_xz(handle), handle);
}

void add(archive* handle, const ArchiveEntry& made) {
  const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                       archive_entry_free);
  archive_entry_copy_pathname(entry.get(), made.name.c_str());
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), 0);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  switch (made.kind) {
    case ArchiveEntry::Kind::kFile:
      archive_entry_set_size(entry.get(), static_cast<la_int64_t>(made.content.size()));
      break;
    case ArchiveEntry::Kind::kFolder:
      archive_entry_set_filetype(entry.get(), AE_IFDIR);
      break;
    case ArchiveEntry::Kind::kSymbolicLink:
      archive_entry_set_filetype(entry.get(), AE_IFLNK);
      archive_entry_copy_symlink(entry.get(), made.content.c_str());
      break;
    case ArchiveEntry::Kind::kHardLink:
      archive_entry_copy_hardlink(entry.get(), made.content.c_str());
      break;
    case ArchiveEntry::Kind::kFifo:
      archive_entry_set_filetype(entry.get(), AE_IFIFO);
  }
  check(archive_write_header(handle, entry.get()), handle);
  if (made.kind != ArchiveEntry::Kind::kFile) return;
  if (archive_write_data(handle, made.content.data(), made.content.size()) !=
      static_cast<la_ssize_t>(made.content.size()))
    throw std::runtime_error("cannot write an archive's member");
}

}  // namespace

void write_archive(const std::filesystem::path& file, ArchiveKind kind,
                   const std::vector<ArchiveEntry>& entries) {
  // The writer marks names as UTF-8 where the locale is.
  const std::unique_ptr<std::remove_pointer_t<locale_t>, void (*)(locale_t)> utf8(
      ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr), ::freelocale);
  if (!utf8) throw std::runtime_error("no locale C.UTF-8");
  const locale_t previous = ::uselocale(utf8.get());
  const std::unique_ptr<archive, int (*)(archive*)> handle(archive_write_new(), archive_write_free);
  choose(handle.get(), kind);
  check(archive_write_open_filename(handle.get(), file.c_str()), handle.get());
  for (const ArchiveEntry& entry : entries) add(handle.get(), entry);
  check(archive_write_close(handle.get()), handle.get());
  ::uselocale(previous);
}

std::string read_bytes(const std::filesystem::path& file) {
  std::ostringstream bytes;
  bytes << std::ifstream(file, std::ios::binary).rdbuf();
  return bytes.str();
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

std::vector<std::size_t> places_of(const std::string& bytes, const std::string& mark) {
  std::vector<std::size_t> places;
  for (std::size_t at = bytes.find(mark); at != std::string::npos; at = bytes.find(mark, at + 1))
    places.push_back(at);
  return places;
}

std::vector<std::size_t> zip_data_of(const std::string& bytes) {
  std::vector<std::size_t> places = places_of(bytes, "PK\3\4");
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned char>(bytes.at(at)) + 256U * static_cast<unsigned char>(bytes.at(at + 1));
  };
  for (std::size_t& at : places) at += 30 + number(at + 26) + number(at + 28);
  return places;
}

}  // namespace headstart::test
