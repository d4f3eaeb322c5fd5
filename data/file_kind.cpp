// data/file_kind.cpp: see file_kind.hpp. A suffix decides without opening the file, because there may be
// millions of files.
#include "data/file_kind.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <utility>

namespace headstart {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::array kImageSuffixes = {
    "jpg"sv, "jpeg"sv, "jpe"sv, "jfif"sv, "png"sv,  "apng"sv, "webp"sv, "gif"sv, "bmp"sv, "dib"sv,
    "tif"sv, "tiff"sv, "jp2"sv, "j2k"sv,  "jpf"sv,  "jpx"sv,  "ppm"sv,  "pgm"sv, "pbm"sv, "pnm"sv,
    "pam"sv, "pfm"sv,  "mpo"sv, "avif"sv, "heic"sv, "heif"sv, "jxl"sv,  "svg"sv, "ico"sv, "tga"sv,
    "psd"sv, "exr"sv,  "hdr"sv, "dcm"sv,  "dng"sv,  "cr2"sv,  "cr3"sv,  "nef"sv, "arw"sv};

constexpr std::array kOtherSuffixes = {
    // Text, labels and tables.
    "txt"sv, "md"sv, "rst"sv, "json"sv, "jsonl"sv, "ndjson"sv, "xml"sv, "csv"sv, "tsv"sv, "yaml"sv, "yml"sv,
    "toml"sv, "ini"sv, "cfg"sv, "conf"sv, "log"sv, "lst"sv, "list"sv, "cls"sv, "lab"sv, "names"sv, "xmp"sv,
    "srt"sv, "url"sv, "lnk"sv,
    // Pages and documents.
    "html"sv, "htm"sv, "xhtml"sv, "mhtml"sv, "css"sv, "js"sv, "pdf"sv, "rtf"sv, "doc"sv, "docx"sv, "xls"sv,
    "xlsx"sv, "ppt"sv, "pptx"sv, "odt"sv, "ods"sv, "tex"sv, "bib"sv,
    // Arrays and models.
    "parquet"sv, "feather"sv, "arrow"sv, "npy"sv, "npz"sv, "mat"sv, "pkl"sv, "pickle"sv, "joblib"sv, "h5"sv,
    "hdf5"sv, "pt"sv, "pth"sv, "ckpt"sv, "onnx"sv, "safetensors"sv, "tflite"sv, "tfrecord"sv, "tfrecords"sv,
    "db"sv, "sqlite"sv, "sqlite3"sv, "mdb"sv, "lmdb"sv, "checkpoint"sv,
    // Programs.
    "py"sv, "pyc"sv, "ipynb"sv, "sh"sv, "bat"sv, "ps1"sv, "r"sv, "m"sv, "c"sv, "cpp"sv, "h"sv, "hpp"sv,
    "java"sv, "exe"sv, "dll"sv, "so"sv,
    // Archives, sums and downloads that did not end.
    "zip"sv, "tar"sv, "gz"sv, "tgz"sv, "bz2"sv, "tbz2"sv, "xz"sv, "txz"sv, "zst"sv, "tzst"sv, "7z"sv, "rar"sv,
    "md5"sv, "sha1"sv, "sha256"sv, "tmp"sv, "part"sv, "crdownload"sv,
    // Films and sound.
    "mp4"sv, "m4v"sv, "avi"sv, "mov"sv, "mkv"sv, "webm"sv, "mpg"sv, "mpeg"sv, "wmv"sv, "wav"sv, "mp3"sv,
    "flac"sv, "ogg"sv};

/// Left by Windows, macOS, Synology, QNAP, a repaired file system and Python.
constexpr std::array kClutter = {"thumbs.db"sv,
                                 "ehthumbs.db"sv,
                                 "desktop.ini"sv,
                                 "__macosx"sv,
                                 "@eadir"sv,
                                 "$recycle.bin"sv,
                                 "system volume information"sv,
                                 "lost+found"sv,
                                 "#recycle"sv,
                                 "#snapshot"sv,
                                 "@recycle"sv,
                                 "__pycache__"sv,
                                 "icon\r"sv};

/// The first bytes of image formats.
constexpr std::array kStarts = {"\xFF\xD8\xFF"sv,   "\x89PNG\r\n\x1A\n"sv,
                                "GIF87a"sv,         "GIF89a"sv,
                                "II*\0"sv,          "MM\0*"sv,
                                "II+\0"sv,          "MM\0+"sv,
                                "\0\0\0\x0CjP  "sv, "\xFF\x4F\xFF\x51"sv,
                                "\0\0\0\x0CJXL "sv, "\xFF\x0A"sv,
                                "8BPS"sv,           "\x76\x2F\x31\x01"sv,
                                "#?RADIANCE"sv};

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

template <std::size_t kCount>
bool holds(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "P5" and white space, or a comment.
bool is_pnm_start(std::string_view start) {
  return start.size() > 2 && start[0] == 'P' && "1234567Ff"sv.find(start[1]) != std::string_view::npos &&
         " \t\r\n#"sv.find(start[2]) != std::string_view::npos;
}

/// "BM" also begins words, but four reserved bytes of a BMP are zero.
bool is_bmp_start(std::string_view start) {
  return start.starts_with("BM"sv) && start.size() > 10 && start.substr(6, 4) == "\0\0\0\0"sv;
}

bool is_heif_start(std::string_view start) {
  constexpr std::array kBrands = {"avif"sv, "avis"sv, "heic"sv, "heix"sv, "hevc"sv,
                                  "heim"sv, "heis"sv, "mif1"sv, "msf1"sv};
  return start.size() >= 12 && start.substr(4, 4) == "ftyp"sv && holds(kBrands, start.substr(8, 4));
}

}  // namespace

std::string suffix_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::string() : lower(name.substr(dot + 1));
}

bool is_image_suffix(std::string_view suffix) { return holds(kImageSuffixes, lower(suffix)); }

std::optional<FileKind> kind_by_name(std::string_view name) {
  const std::string suffix = suffix_of(name);
  if (holds(kImageSuffixes, suffix)) return FileKind::kImage;
  if (holds(kOtherSuffixes, suffix)) return FileKind::kSideFile;
  return std::nullopt;
}

bool is_image_start(std::span<const std::byte> start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  return std::any_of(kStarts.begin(), kStarts.end(), [&](auto known) { return text.starts_with(known); }) ||
         (text.starts_with("RIFF"sv) && text.size() >= 12 && text.substr(8, 4) == "WEBP"sv) ||
         is_pnm_start(text) || is_bmp_start(text) || is_heif_start(text);
}

FileKind kind_of_file(const std::filesystem::path& file) {
  if (const std::optional<FileKind> kind = kind_by_name(file.filename().string())) return *kind;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return FileKind::kImage;
  std::array<char, kImageStartBytes> start;
  stream.read(start.data(), start.size());
  const auto read = static_cast<std::size_t>(stream.gcount());
  if (stream.bad()) return FileKind::kImage;
  return is_image_start(std::as_bytes(std::span(start.data(), read))) ? FileKind::kImage
                                                                      : FileKind::kSideFile;
}

bool is_clutter(std::string_view name) { return name.starts_with('.') || holds(kClutter, lower(name)); }

}  // namespace headstart
