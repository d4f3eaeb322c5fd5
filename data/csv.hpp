// data/csv.hpp: RFC 4180 comma-separated values, in and out.
#pragma once

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
