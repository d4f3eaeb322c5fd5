// data/dataset/list_columns.cpp: see list_columns.hpp.
#include "data/dataset/list_columns.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "data/error.hpp"

namespace headstart {
namespace {

/// The names of one kind of column. A weak name counts only if no column has a strong name. "name" is the
/// path beside "label", but something else beside "path".
struct ColumnNames {
  std::string_view meaning;
  std::span<const std::string_view> strong;
  std::span<const std::string_view> weak;
};

constexpr std::array<std::string_view, 33> kPath{
    "path",         "paths",      "file",         "files",         "filepath",      "filepaths",   "filename",
    "filenames",    "fname",      "fnames",       "image",         "images",        "img",         "imgs",
    "imagepath",    "imagepaths", "imgpath",      "imgpaths",      "imagefile",     "imagefiles",  "imgfile",
    "imagename",    "imagenames", "imgname",      "imagefilename", "imagefilepath", "imgfilename", "fullpath",
    "relativepath", "relpath",    "filelocation", "imagelocation", "pathname"};
constexpr std::array<std::string_view, 7> kWeakPath{"name", "imageid", "imgid",   "fileid",
                                                    "id",   "idcode",  "imageids"};
constexpr std::array<std::string_view, 16> kLabel{
    "label",     "labels",    "class",      "classes",      "category",   "categories", "target", "targets",
    "labelname", "classname", "classnames", "categoryname", "classlabel", "imagelabel", "tag",    "tags"};
constexpr std::array<std::string_view, 10> kWeakLabel{"labelid",    "classid",     "categoryid", "targetid",
                                                      "labelindex", "classindex",  "labelidx",   "classidx",
                                                      "y",          "labelencoded"};
constexpr std::array<std::string_view, 8> kSplit{"split",   "splits",    "set",       "subset",
                                                 "dataset", "partition", "datasplit", "splitname"};
constexpr std::array<std::string_view, 3> kValidation{"isvalid", "isval", "isvalidation"};
constexpr std::array<std::string_view, 1> kTest{"istest"};
constexpr std::array<std::string_view, 3> kGroup{"group", "groups", "groupid"};

constexpr ColumnNames kPathNames{"path of the image", kPath, kWeakPath};
constexpr ColumnNames kLabelNames{"label", kLabel, kWeakLabel};
constexpr ColumnNames kSplitNames{"split", kSplit, {}};
constexpr ColumnNames kValidationNames{"mark of validation images", kValidation, {}};
constexpr ColumnNames kTestNames{"mark of test images", kTest, {}};
constexpr ColumnNames kGroupNames{"group", kGroup, {}};

/// "File_Name " and "file name" are "filename".
std::string plain_column_name(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c == ' ' || c == '\t' || c == '_' || c == '-') continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::vector<std::size_t> columns_called(std::span<const std::string_view> names,
                                        const std::vector<std::string>& header) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (std::find(names.begin(), names.end(), plain_column_name(header[i])) != names.end())
      columns.push_back(i);
  }
  return columns;
}

std::vector<std::size_t> candidates_for(const ColumnNames& names, const std::vector<std::string>& header) {
  std::vector<std::size_t> columns = columns_called(names.strong, header);
  return columns.empty() ? columns_called(names.weak, header) : columns;
}

std::optional<std::size_t> find_one(const ColumnNames& names, const std::vector<std::string>& header,
                                    std::string_view where) {
  const std::vector<std::size_t> columns = candidates_for(names, header);
  if (columns.empty()) return std::nullopt;
  if (columns.size() > 1) {
    throw Error(Error::Kind::kFailed,
                fmt::format("cannot read the dataset: columns '{}' and '{}' may both be the {}",
                            header[columns[0]], header[columns[1]], names.meaning),
                where, "rename the one that is not, to x for example");
  }
  return columns.front();
}

std::size_t require_one(const ColumnNames& names, const std::vector<std::string>& header,
                        std::string_view where, std::string_view advice) {
  if (const std::optional<std::size_t> column = find_one(names, header, where)) return *column;
  throw Error(Error::Kind::kFailed,
              fmt::format("cannot read the dataset: no column is the {}; there is '{}'", names.meaning,
                          fmt::join(header, "', '")),
              where, advice);
}

bool is_index_of_pandas(std::string_view name) {
  const std::string plain = plain_column_name(name);
  return plain.empty() || plain.starts_with("unnamed:");
}

}  // namespace

char separator_of(std::string_view header) {
  char best = ',';
  std::ptrdiff_t most = 0;
  for (const char separator : {',', ';', '\t'}) {
    std::vector<std::string> names;
    std::string name;
    bool quoted = false;
    for (const char c : header) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == separator && !quoted) {
        names.push_back(std::exchange(name, {}));
      } else {
        name += c;
      }
    }
    names.push_back(name);
    if (!candidates_for(kPathNames, names).empty() && !candidates_for(kLabelNames, names).empty())
      return separator;
    if (std::ssize(names) > most) {
      most = std::ssize(names);
      best = separator;
    }
  }
  return best;
}

ListColumns find_columns(const std::vector<std::string>& header, std::string_view where) {
  ListColumns columns;
  columns.path = require_one(kPathNames, header, where,
                             "name the columns on the first line: path (or file_name, image) and label");
  columns.label =
      require_one(kLabelNames, header, where,
                  "name the columns on the first line: path and label (or class, category, target)");
  columns.split = find_one(kSplitNames, header, where);
  columns.is_validation = find_one(kValidationNames, header, where);
  columns.is_test = find_one(kTestNames, header, where);
  columns.group = find_one(kGroupNames, header, where);
  if (columns.split && (columns.is_validation || columns.is_test)) {
    throw Error(Error::Kind::kFailed,
                fmt::format("cannot read the dataset: columns '{}' and '{}' both say what is for validation",
                            header[*columns.split],
                            header[columns.is_validation ? *columns.is_validation : *columns.is_test]),
                where, "rename one of them, to x for example");
  }
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::array<std::optional<std::size_t>, 6> used{
        columns.path, columns.label, columns.split, columns.is_validation, columns.is_test, columns.group};
    if (std::find(used.begin(), used.end(), i) == used.end() && !is_index_of_pandas(header[i]))
      columns.unused.push_back(header[i]);
  }
  return columns;
}

}  // namespace headstart
