// data/csv.hpp: RFC 4180 comma-separated values, in and out.
#pragma once

#include <cstddef>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace headstart {

/// A parsed .csv file. Blank lines are dropped, a UTF-8 byte order mark is skipped, and lines may end with
/// CRLF or LF.
struct CsvTable {
  struct Row {
    std::size_t line = 0;  ///< 1-based line of the file on which the row starts
    std::vector<std::string> fields;
  };
  std::vector<std::string> header;
  std::vector<Row> rows;  ///< each with as many fields as the header
};

/// Reads a text record by record, for files that are too large as a CsvTable.
class CsvReader {
 public:
  /// @param text         has to outlive the reader
  /// @param file         names the text in errors
  /// @param most_fields  of a record: a text of nothing but separators would take 32 times its size
  CsvReader(std::string_view text, std::filesystem::path file, char separator = ',',
            std::size_t most_fields = std::string_view::npos);

  /// Replaces `row` by the next record that is not a blank line. False at the end of the text.
  /// @throws Error kFailed naming `file` and the line: an open quote, a stray quote, too many fields
  [[nodiscard]] bool next(CsvTable::Row& row);

 private:
  bool take(std::string_view token);
  bool take_line_end();
  [[nodiscard]] bool at_field_end() const;
  void plain_field(std::string& field);
  void quoted_field(std::string& field);

  std::string_view text_;
  std::filesystem::path file_;
  std::string field_end_;  // the characters that may end a field without quotes, and the quote
  char separator_;
  std::size_t most_fields_;
  std::size_t line_ = 1;
};

/// Parses `text`.
/// @throws Error kFailed naming `file` and the line: an open quote, a stray quote, a wrong number of fields,
/// no header
[[nodiscard]] CsvTable parse_csv(std::string_view text, const std::filesystem::path& file,
                                 char separator = ',');

/// One field, quoted if necessary.
[[nodiscard]] std::string csv_field(std::string_view value);

/// Fields joined by commas, with a line feed at the end.
[[nodiscard]] std::string csv_line(const std::vector<std::string>& fields);

}  // namespace headstart
