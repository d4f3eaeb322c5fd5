// data/csv.cpp: a parser of RFC 4180 in one pass over the text.
#include "data/csv.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "data/error.hpp"

namespace headstart {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

[[noreturn]] void fail(const std::filesystem::path& file, std::size_t line, std::string_view found,
                       std::string_view advice) {
  throw Error(Error::Kind::kFailed, fmt::format("cannot read the CSV file: {}", found),
              fmt::format("{}, line {}", file.string(), line), advice);
}

/// Reads the text record by record.
class Reader {
 public:
  Reader(std::string_view text, const std::filesystem::path& file, char separator)
      : text_(text), file_(file), separator_(separator) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  /// The next record that is not a blank line, or nothing at the end of the text.
  std::optional<CsvTable::Row> next() {
    while (take_line_end()) {
    }
    if (text_.empty()) return std::nullopt;
    CsvTable::Row row{line_, {}};
    do {
      row.fields.push_back(text_.starts_with('"') ? quoted_field() : plain_field());
    } while (take({&separator_, 1}));
    if (!text_.empty()) take_line_end();
    return row;
  }

 private:
  bool take(std::string_view token) {
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }

  bool take_line_end() {
    if (!take("\r\n") && !take("\n")) return false;
    ++line_;
    return true;
  }

  [[nodiscard]] bool at_field_end() const {
    return text_.empty() || text_.starts_with(separator_) || text_.starts_with('\n') ||
           text_.starts_with("\r\n");
  }

  std::string plain_field() {
    std::string field;
    while (!at_field_end()) {
      if (text_.front() == '"') {
        fail(file_, line_, "a quote inside an unquoted field", "quote the whole field and double the quote");
      }
      field += text_.front();
      text_.remove_prefix(1);
    }
    return field;
  }

  std::string quoted_field() {
    const std::size_t first_line = line_;
    text_.remove_prefix(1);
    std::string field;
    while (true) {
      if (text_.empty())
        fail(file_, first_line, "a quote is never closed", "close the quote that opens on this line");
      if (take("\"\"")) {
        field += '"';
      } else if (take("\"")) {
        break;
      } else {
        if (text_.front() == '\n') ++line_;
        field += text_.front();
        text_.remove_prefix(1);
      }
    }
    if (!at_field_end()) {
      fail(file_, line_, "text follows a closing quote", "double the quotes inside a quoted field");
    }
    return field;
  }

  std::string_view text_;
  const std::filesystem::path& file_;
  char separator_;
  std::size_t line_ = 1;
};

}  // namespace

CsvTable parse_csv(std::string_view text, const std::filesystem::path& file, char separator) {
  Reader reader(text, file, separator);
  std::optional<CsvTable::Row> header = reader.next();
  if (!header) fail(file, 1, "there is no header", "name the columns on the first line");
  CsvTable table{std::move(header->fields), {}};
  while (std::optional<CsvTable::Row> row = reader.next()) {
    if (row->fields.size() != table.header.size()) {
      fail(file, row->line,
           fmt::format("{} fields, where the header has {}", row->fields.size(), table.header.size()),
           "give every line one field per column, and quote a field that holds a separator");
    }
    table.rows.push_back(std::move(*row));
  }
  return table;
}

std::string csv_field(std::string_view value) {
  const bool is_plain = value.find_first_of(",\"\r\n") == std::string_view::npos &&
                        !value.starts_with(kByteOrderMark);  // a mark would be skipped at the start of a file
  if (is_plain) return std::string(value);
  std::string field = "\"";
  for (const char character : value) {
    if (character == '"') field += '"';
    field += character;
  }
  field += '"';
  return field;
}

std::string csv_line(const std::vector<std::string>& fields) {
  if (fields.size() == 1 && fields.front().empty()) return "\"\"\n";  // a blank line would not be a row
  std::string line;
  for (const std::string& field : fields) {
    if (&field != &fields.front()) line += ',';
    line += csv_field(field);
  }
  line += '\n';
  return line;
}

}  // namespace headstart
