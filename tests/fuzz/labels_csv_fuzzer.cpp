// tests/fuzz/labels_csv_fuzzer.cpp: any text given to the .csv readers ends as a table that writes back to
// itself, and as a manifest whose files lie below its folder, or as one line of error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "data/csv.hpp"
#include "data/dataset/labels_csv.hpp"
#include "data/dataset/name_list.hpp"
#include "data/error.hpp"
#include "tests/fuzz/expect.hpp"

namespace {

using headstart::CsvTable;
using headstart::Manifest;
using headstart::OutsidePaths;
using headstart::Sample;
using headstart::fuzz::expect;

const std::filesystem::path kFile = "/dataset/labels.csv";

void check_error(const headstart::Error& error) {
  expect(error.what() == headstart::printable(error.what()), "an error is one line");
}

void check_table(std::string_view text) {
  const CsvTable table = headstart::parse_csv(text, kFile);
  std::string written = headstart::csv_line(table.header);
  for (const CsvTable::Row& row : table.rows) {
    expect(row.fields.size() == table.header.size(), "a row has a field for each column");
    written += headstart::csv_line(row.fields);
  }
  const CsvTable again = headstart::parse_csv(written, kFile);
  expect(again.header == table.header && again.rows.size() == table.rows.size(), "a table reads back");
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    expect(again.rows[i].fields == table.rows[i].fields, "a row reads back");
}

void check_manifest(const Manifest& manifest, OutsidePaths outside) {
  const auto& classes = manifest.classes;
  expect(std::adjacent_find(classes.begin(), classes.end(), std::greater_equal<>()) == classes.end(),
         "classes ascend");
  for (const Sample& sample : manifest.samples) {
    expect(sample.label >= 0 && static_cast<std::size_t>(sample.label) < classes.size(),
           "a label has a class");
    expect((sample.split != headstart::Split::kUnassigned) == manifest.has_given_splits,
           "all samples have a split or none");
    const std::string relative =
        sample.source.file.lexically_normal().lexically_relative("/dataset").string();
    if (outside == OutsidePaths::kRefused)
      expect(!relative.empty() && relative != ".." && !relative.starts_with("../"), "a file is inside");
  }
}

template <typename Action>
void survive(Action action) {
  try {
    action();
  } catch (const headstart::Error& error) {
    check_error(error);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  survive([&] { check_table(text); });
  for (const OutsidePaths outside : {OutsidePaths::kRefused, OutsidePaths::kAllowed}) {
    for (const char* encoding : {"", "latin1", "utf-16le"})
      survive([&] { check_manifest(headstart::parse_labels_csv(text, kFile, outside, encoding), outside); });
  }
  survive([&] {
    for (const headstart::ListedName& listed : headstart::names_in_list(text, "list"))
      expect(!listed.name.empty() && listed.line > 0, "a name of a list is one");
  });
  return 0;
}
