// data/csv.cpp: a parser of RFC 4180 in one pass over the text.
#include "data/csv.hpp"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

CsvReader::CsvReader(std::string_view text, std::filesystem::path file, char separator,
                     std::size_t most_fields)
    : text_(text),
      file_(std::move(file)),
      field_end_{separator, '\n', '\r', '"'},
      separator_(separator),
      most_fields_(most_fields) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

bool CsvReader::next(CsvTable::Row& row) {
  while (take_line_end()) {
  }
  if (text_.empty()) return false;
  row.line = line_;
  std::size_t count = 0;
  do {
    if (count == most_fields_) {
      fail(file_, line_, fmt::format("more than {} fields", most_fields_), "leave out columns");
    }
    if (count == row.fields.size()) row.fields.emplace_back();
    std::string& field = row.fields[count++];
    field.clear();
    if (text_.starts_with('"'))
      quoted_field(field);
    else
      plain_field(field);
  } while (take({&separator_, 1}));
  row.fields.resize(count);
  take_line_end();
  return true;
}

bool CsvReader::take(std::string_view token) {
  if (!text_.starts_with(token)) return false;
  text_.remove_prefix(token.size());
  return true;
}

bool CsvReader::take_line_end() {
  if (!take("\r\n") && !take("\n")) return false;
  ++line_;
  return true;
}

bool CsvReader::at_field_end() const {
  return text_.empty() || text_.starts_with(separator_) || text_.starts_with('\n') ||
         text_.starts_with("\r\n");
}

void CsvReader::plain_field(std::string& field) {
  while (true) {
    const std::size_t size = std::min(text_.find_first_of(field_end_), text_.size());
    field += text_.substr(0, size);
    text_.remove_prefix(size);
    if (at_field_end()) return;
    if (text_.front() == '"') {
      fail(file_, line_, "a quote inside an unquoted field", "quote the whole field and double the quote");
    }
    field += text_.front();  // a carriage return that ends no line
    text_.remove_prefix(1);
  }
}

void CsvReader::quoted_field(std::string& field) {
  const std::size_t first_line = line_;
  text_.remove_prefix(1);
  while (true) {
    const std::size_t size = text_.find('"');
    if (size == std::string_view::npos)
      fail(file_, first_line, "a quote is never closed", "close the quote that opens on this line");
    const std::string_view part = text_.substr(0, size);
    line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
    field += part;
    text_.remove_prefix(size + 1);
    if (!take("\"")) break;
    field += '"';
  }
  if (!at_field_end()) {
    fail(file_, line_, "text follows a closing quote", "double the quotes inside a quoted field");
  }
}

CsvTable parse_csv(std::string_view text, const std::filesystem::path& file, char separator) {
  CsvReader reader(text, file, separator);
  CsvTable::Row row;
  if (!reader.next(row)) fail(file, 1, "there is no header", "name the columns on the first line");
  CsvTable table{row.fields, {}};
  while (reader.next(row)) {
    if (row.fields.size() != table.header.size()) {
      fail(file, row.line,
           fmt::format("{} fields, where the header has {}", row.fields.size(), table.header.size()),
           "give every line one field per column, and quote a field that holds a separator");
    }
    table.rows.push_back(std::exchange(row, {}));
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
