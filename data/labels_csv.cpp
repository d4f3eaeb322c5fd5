// data/labels_csv.cpp: see labels_csv.hpp.
#include "data/labels_csv.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/csv.hpp"
#include "data/dataset_folder.hpp"
#include "data/error.hpp"
#include "data/file_bytes.hpp"

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

/// Index of the one column called by one of `names`; nothing if there is none.
std::optional<std::size_t> find_column(const CsvTable& table, std::initializer_list<std::string_view> names,
                                       const std::filesystem::path& file) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < table.header.size(); ++i) {
    if (std::find(names.begin(), names.end(), table.header[i]) == names.end()) continue;
    if (found) {
      fail(file, 1, fmt::format("columns '{}' and '{}' mean the same", table.header[*found], table.header[i]),
           "keep one of them");
    }
    found = i;
  }
  return found;
}

std::size_t require_column(const CsvTable& table, std::initializer_list<std::string_view> names,
                           const std::filesystem::path& file) {
  const std::optional<std::size_t> column = find_column(table, names, file);
  if (column) return *column;
  fail(file, 1,
       fmt::format("no column '{}'; there is '{}'", fmt::join(names, "' or '"),
                   fmt::join(table.header, "', '")),
       "name the columns path (or file_name) and label, and optionally split and group, on the first line");
}

std::optional<Split> split_from(std::string_view text) {
  if (text.empty()) return Split::kUnassigned;
  if (text == "train" || text == "training") return Split::kTrain;
  if (text == "val" || text == "valid" || text == "validation") return Split::kValidation;
  if (text == "test") return Split::kTest;
  return std::nullopt;
}

/// All cells of the split column, or none, are filled.
void check_splits(const Manifest& manifest, const CsvTable& table, const std::filesystem::path& file) {
  if (!manifest.has_given_splits) return;
  for (std::size_t i = 0; i < manifest.samples.size(); ++i) {
    if (manifest.samples[i].split == Split::kUnassigned) {
      fail(file, table.rows[i].line, "split is empty, where other rows have one",
           "write train, validation or test, or leave the whole column empty");
    }
  }
}

}  // namespace

Manifest parse_labels_csv(std::string_view text, const std::filesystem::path& file, OutsidePaths outside) {
  const CsvTable table = parse_csv(text, file);
  const std::size_t path_column = require_column(table, {"path", "file_name"}, file);
  const std::size_t label_column = require_column(table, {"label"}, file);
  const std::optional<std::size_t> split_column = find_column(table, {"split"}, file);
  const std::optional<std::size_t> group_column = find_column(table, {"group"}, file);

  Manifest manifest;
  manifest.root = file.parent_path();
  const DatasetFolder folder(file, outside);
  for (const CsvTable::Row& row : table.rows) {
    const std::string& label = row.fields[label_column];
    if (row.fields[path_column].empty()) fail(file, row.line, "path is empty", "give every row an image");
    if (label.empty()) fail(file, row.line, "label is empty", "give every row a label, or leave the row out");
    manifest.classes.push_back(label);
  }
  std::sort(manifest.classes.begin(), manifest.classes.end());
  manifest.classes.erase(std::unique(manifest.classes.begin(), manifest.classes.end()),
                         manifest.classes.end());

  for (const CsvTable::Row& row : table.rows) {
    Sample sample;
    sample.path = row.fields[path_column];
    sample.source.file = folder.locate(sample.path, row.line);
    const auto place =
        std::lower_bound(manifest.classes.begin(), manifest.classes.end(), row.fields[label_column]);
    sample.label = static_cast<Label>(place - manifest.classes.begin());
    if (split_column) {
      const std::optional<Split> split = split_from(row.fields[*split_column]);
      if (!split) {
        fail(file, row.line, fmt::format("split is '{}'", row.fields[*split_column]),
             "write train, validation or test");
      }
      sample.split = *split;
      manifest.has_given_splits = manifest.has_given_splits || sample.split != Split::kUnassigned;
    }
    if (group_column) sample.group = row.fields[*group_column];
    manifest.samples.push_back(std::move(sample));
  }
  check_splits(manifest, table, file);
  return manifest;
}

Manifest read_labels_csv(const std::filesystem::path& file, OutsidePaths outside) {
  return parse_labels_csv(read_text(file), file, outside);
}

}  // namespace headstart
