// data/dataset/labels_csv.cpp: see labels_csv.hpp.
#include "data/dataset/labels_csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/csv.hpp"
#include "data/dataset/class_names.hpp"
#include "data/dataset/dataset_folder.hpp"
#include "data/dataset/list_columns.hpp"
#include "data/dataset/listed_paths.hpp"
#include "data/dataset/split_folders.hpp"
#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "data/text_encoding.hpp"
#include "data/utf8.hpp"

namespace headstart {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file, std::size_t line, std::string_view found,
                       std::string_view advice) {
  throw Error(Error::Kind::kFailed, fmt::format("cannot read the dataset: {}", found),
              fmt::format("{}, line {}", file.string(), line), advice);
}

std::string read_text(const std::filesystem::path& file) {
  const auto content = read_file(file, kMaxImageFileBytes);
  if (const Reject* reject = std::get_if<Reject>(&content)) {
    throw Error(Error::Kind::kFailed, "cannot read the dataset", file.string() + " " + reject->reason,
                "pass a .csv file that names path and label");
  }
  const auto& bytes = std::get<std::vector<std::byte>>(content);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Refuses files that are rarely called .csv on purpose.
void refuse_other_kinds(std::string_view bytes, const std::filesystem::path& file) {
  constexpr std::array<std::array<std::string_view, 3>, 3> kKinds{
      {{"PK\3\4", "a .zip or .xlsx file", "save the table as .csv, or name an archive .zip"},
       {"\x1F\x8B", "a .gz file", "unpack it, or name an archive .tar.gz"},
       {"\xD0\xCF\x11\xE0", "an .xls file", "save the table as .csv"}}};
  for (const auto& [start, kind, advice] : kKinds) {
    if (bytes.starts_with(start)) fail(file, 1, fmt::format("it begins as {} does", kind), advice);
  }
}

/// The text of a list, and the encoding of its fields.
struct ListText {
  std::string text;
  std::string encoding;  ///< of each field; empty: UTF-8, or no encoding is known
};

/// Fields of an encoding that contains ASCII keep their bytes, because paths are bytes. Separators are ASCII.
ListText text_of(std::string_view bytes, const std::filesystem::path& file, const std::string& encoding) {
  refuse_other_kinds(bytes, file);
  const auto is_other = [&] {
    fail(file, 1, "it is not in the encoding that it should be", "write it as UTF-8");
  };
  std::optional<std::string> text = without_byte_order_mark(bytes);
  if (!text) is_other();
  if (const std::size_t zero = text->find('\0'); zero != std::string::npos) {
    const std::string utf16 = likely_utf16(*text);
    if (encoding.empty() && !utf16.empty()) {
      fail(file, 1, "it has zero bytes, as UTF-16 without a byte order mark has",
           fmt::format("pass --encoding {}, or write it as UTF-8", utf16));
    }
    const std::string_view before = std::string_view(*text).substr(0, zero);
    const auto line = 1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
    if (!encoding.empty()) text = to_utf8(*text, encoding);
    if (!utf16.empty() && !text) is_other();
    if (!text || text->find('\0') != std::string::npos)
      fail(file, line, "it has a zero byte", "take the byte out, or write the list again");
    return {std::move(*text), {}};
  }
  if (encoding.empty() || !is_encoded(*text, encoding)) return {std::move(*text), {}};
  if (!is_utf8(*text)) return {std::move(*text), encoding};
  text = to_utf8(*text, encoding);  // has escapes, behind which a comma may be part of a letter
  if (!text || text->find('\0') != std::string::npos) is_other();
  return {std::move(*text), {}};
}

/// The first line that is not blank. A line of the form sep=; comes from Excel and states the separator.
struct Beginning {
  std::string_view header;
  std::optional<char> separator;
};

Beginning beginning_of(std::string_view text) {
  Beginning beginning;
  while (!text.empty() && beginning.header.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.size() == 5 && line.starts_with("sep=") && !beginning.separator) {
      beginning.separator = line[4];
    } else {
      beginning.header = line;
    }
  }
  return beginning;
}

CsvTable table_of(const std::string& text, const std::filesystem::path& file) {
  const Beginning beginning = beginning_of(text);
  if (!beginning.separator) return parse_csv(text, file, separator_of(beginning.header));
  // The line sep= has one field and would not fit. It is blanked, not removed, so that lines keep their
  // numbers.
  std::string blanked = text;
  const std::size_t line = text.find("sep=");
  blanked.replace(line, 5, "");
  return parse_csv(blanked, file, *beginning.separator);
}

std::string lower_word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != '\t') word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return word;
}

std::optional<Split> split_from(std::string_view text) {
  const std::string word = lower_word(text);
  return word.empty() ? Split::kUnassigned : well_known_split(word);
}

/// The value of a cell that says true or false, as pandas, fastai and spreadsheets write it.
std::optional<bool> mark_from(std::string_view text) {
  const std::string word = lower_word(text);
  for (const char* yes : {"true", "1", "1.0", "yes", "t", "y"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"false", "0", "0.0", "no", "f", "n"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

/// The split of a row, by the columns that state it.
Split split_of(const CsvTable::Row& row, const ListColumns& columns, const CsvTable& table,
               const std::filesystem::path& file) {
  if (columns.split) {
    const std::string& cell = row.fields[*columns.split];
    const std::optional<Split> split = split_from(cell);
    if (!split) {
      fail(file, row.line, fmt::format("{} is '{}'", table.header[*columns.split], cell),
           "write train, validation or test, or rename the column, to x for example");
    }
    return *split;
  }
  const auto is_marked = [&](const std::optional<std::size_t>& column) {
    if (!column) return false;
    const std::optional<bool> mark = mark_from(row.fields[*column]);
    if (!mark) {
      fail(file, row.line, fmt::format("{} is '{}'", table.header[*column], row.fields[*column]),
           "write true or false");
    }
    return *mark;
  };
  const bool is_validation = is_marked(columns.is_validation);
  const bool is_test = is_marked(columns.is_test);
  if (is_validation && is_test)
    fail(file, row.line, "a line is marked for validation and for test", "mark it for one of them");
  if (!columns.is_validation && !columns.is_test) return Split::kUnassigned;
  return is_test ? Split::kTest : is_validation ? Split::kValidation : Split::kTrain;
}

std::string label_of(const std::string& cell, std::size_t line, const std::filesystem::path& file,
                     const std::string& encoding) {
  std::string name = class_name_of(cell, encoding, fmt::format("{}, line {}", file.string(), line));
  if (is_blank(name)) fail(file, line, "label is empty", "give every line a label, or leave the line out");
  if (name.find('|') != std::string::npos) {
    fail(file, line, fmt::format("label '{}' names several classes", name),
         "give every image one: an image with several labels is not supported");
  }
  return name;
}

/// Checks that all cells of the split column, or none, are filled.
void check_splits(const Manifest& manifest, const CsvTable& table, const std::filesystem::path& file) {
  if (!manifest.has_given_splits) return;
  for (std::size_t i = 0; i < manifest.samples.size(); ++i) {
    if (manifest.samples[i].split == Split::kUnassigned) {
      fail(file, table.rows[i].line, "split is empty, where other lines have one",
           "write train, validation or test, or leave the whole column empty");
    }
  }
}

}  // namespace

Manifest parse_labels_csv(std::string_view text, const std::filesystem::path& file, OutsidePaths outside,
                          const std::string& encoding) {
  const ListText list = text_of(text, file, encoding);
  const CsvTable table = table_of(list.text, file);
  const ListColumns columns = find_columns(table.header, fmt::format("{}, line 1", file.string()));

  Manifest manifest;
  manifest.root = file.parent_path();
  std::vector<std::string> labels;
  for (const CsvTable::Row& row : table.rows) {
    if (row.fields[columns.path].empty()) fail(file, row.line, "path is empty", "give every line an image");
    labels.push_back(label_of(row.fields[columns.label], row.line, file, list.encoding));
  }
  manifest.classes = labels;
  std::sort(manifest.classes.begin(), manifest.classes.end());
  manifest.classes.erase(std::unique(manifest.classes.begin(), manifest.classes.end()),
                         manifest.classes.end());

  ListedPaths paths(file, outside, list.encoding);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const CsvTable::Row& row = table.rows[i];
    ListedPaths::Place place = paths.find(row.fields[columns.path], row.line);
    Sample sample;
    sample.path = std::move(place.path);
    sample.source.file = std::move(place.file);
    const auto label = std::lower_bound(manifest.classes.begin(), manifest.classes.end(), labels[i]);
    sample.label = static_cast<Label>(label - manifest.classes.begin());
    sample.split = split_of(row, columns, table, file);
    manifest.has_given_splits = manifest.has_given_splits || sample.split != Split::kUnassigned;
    if (columns.group) sample.group = row.fields[*columns.group];
    manifest.samples.push_back(std::move(sample));
  }
  check_splits(manifest, table, file);
  manifest.notes = paths.notes();
  if (!columns.unused.empty()) {
    manifest.notes.push_back(fmt::format("{}: {} not used: '{}'", printable(file.filename().string()),
                                         columns.unused.size() == 1 ? "a column is" : "columns are",
                                         printable(fmt::format("{}", fmt::join(columns.unused, "', '")))));
  }
  return manifest;
}

Manifest read_labels_csv(const std::filesystem::path& file, OutsidePaths outside,
                         const std::string& encoding) {
  return parse_labels_csv(read_text(file), file, outside, encoding);
}

}  // namespace headstart
