// pipeline/rows/features_npy.cpp
#include "pipeline/rows/features_npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "data/csv.hpp"
#include "data/error.hpp"
#include "data/file_bytes.hpp"
#include "data/sha256.hpp"
#include "features/json_integer.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/rows/feature_file_error.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLabelsHeader = "path,label,split,group,sha256\n";
constexpr std::string_view kFactsStart = "{\n  \"format\": \"headstart features\"";
constexpr std::size_t kMostColumns = 1000;  // of labels.csv, which may have any besides headstart's

fs::path labels_file(const fs::path& file) { return file.parent_path() / "labels.csv"; }
fs::path facts_file(const fs::path& file) { return fs::path(file).replace_extension(".json"); }

std::string text_of_table(const fs::path& file) {
  const std::variant<std::vector<std::byte>, Reject> read = read_file(file, kMaxTableText);
  if (const auto* const reject = std::get_if<Reject>(&read)) refuse_features(file, reject->reason);
  const auto& bytes = std::get<std::vector<std::byte>>(read);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool begins_with(const fs::path& file, std::string_view start) {
  std::string text(start.size(), '\0');
  std::ifstream stream(file, std::ios::binary);
  return stream.read(text.data(), static_cast<std::streamsize>(text.size())) && text == start;
}

std::string labels_csv_of(const FeatureTable& table) {
  std::vector<std::string> names;
  for (const std::string& name : table.class_names) names.push_back(csv_field(name));
  std::string csv(kLabelsHeader);
  for (std::size_t row = 0; row < table.labels.size(); ++row) {
    fmt::format_to(std::back_inserter(csv), "{},{},{},{},{}\n", csv_field(table.paths[row]),
                   names[static_cast<std::size_t>(table.labels[row])], table.splits[row],
                   csv_field(table.groups[row]), table.keys[row].hex());
  }
  return csv;
}

std::string facts_json_of(const FeatureTable& table) {
  const nlohmann::ordered_json json{
      {"format", kFeatureFileFormat},
      {"format_version", kFeatureFileVersion},
      {"extractor", nlohmann::ordered_json::parse(table.configuration.canonical_json())},
      {"tap", to_string(table.tap)},
      {"pooling", to_string(table.pooling)},
      {"map_shape", {table.shape.height, table.shape.width, table.shape.channels}},
      {"class_names", table.class_names}};
  return json.dump(2) + "\n";
}

/// NAME.json without the rows. @throws std::exception if a key is missing or of another kind
StoredTable facts_from(const std::string& text, const fs::path& file) {
  const nlohmann::json json = nlohmann::json::parse(text);
  if (json.at("format") != kFeatureFileFormat)
    refuse_features(file, "is of no table of headstart's features");
  if (json.at("format_version") != kFeatureFileVersion)
    refuse_features(file, "format_version is not 1: it was made by another version");
  StoredTable stored{.extractor = json.at("extractor").dump() + "\n",  // sorted, as in canonical_json()
                     .tap = json.at("tap").get<std::string>(),
                     .pooling = json.at("pooling").get<std::string>(),
                     .map_shape = {},
                     .table = {}};
  for (const nlohmann::json& length : json.at("map_shape"))
    stored.map_shape.push_back(json_integer<std::int64_t>(length));
  stored.table.class_names = json.at("class_names").get<std::vector<std::string>>();
  return stored;
}

/// The place of a column in labels.csv. @throws Error kFailed unless exactly one has that name
std::optional<std::size_t> column_of(const std::vector<std::string>& header, std::string_view name,
                                     bool needed, const fs::path& file) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (std::count(header.begin(), header.end(), name) > 1)
    refuse_features(file, fmt::format("has two columns '{}'", name));
  if (found != header.end()) return static_cast<std::size_t>(found - header.begin());
  if (needed) refuse_features(file, fmt::format("has no column '{}'", name));
  return std::nullopt;
}

/// Adds the rows of labels.csv, whose text is `text`, to the table of these class names.
/// @param rows  as many as the features have
void add_rows(FeatureTable& table, std::string_view text, std::uint64_t rows, const fs::path& file) {
  CsvReader reader(text, file, ',', kMostColumns);
  CsvTable::Row row;
  if (!reader.next(row)) refuse_features(file, "has no header");
  const std::vector<std::string> header = row.fields;
  const std::size_t path = *column_of(header, "path", true, file);
  const std::size_t label = *column_of(header, "label", true, file);
  const std::size_t split = *column_of(header, "split", true, file);
  const std::size_t digest = *column_of(header, "sha256", true, file);
  const std::optional<std::size_t> group = column_of(header, "group", false, file);
  std::unordered_map<std::string_view, std::int32_t> label_of;
  for (std::size_t i = 0; i < table.class_names.size(); ++i)
    label_of.try_emplace(table.class_names[i], static_cast<std::int32_t>(i));
  while (reader.next(row)) {
    const auto refuse = [&](const std::string& why) {
      refuse_features(file, fmt::format("line {}: {}", row.line, why));
    };
    if (row.fields.size() != header.size())
      refuse(fmt::format("{} fields, where the header has {}", row.fields.size(), header.size()));
    if (table.labels.size() == rows) refuse(fmt::format("more rows than the features, which have {}", rows));
    const auto known = label_of.find(row.fields[label]);
    if (known == label_of.end()) {
      refuse(fmt::format("label '{}' is none of the {} class_names", printable(row.fields[label]),
                         table.class_names.size()));
    }
    const std::optional<Sha256> key = Sha256::from_hex(row.fields[digest]);
    if (!key) refuse(fmt::format("sha256 '{}' is not 64 hexadecimal digits", printable(row.fields[digest])));
    table.labels.push_back(known->second);
    table.keys.push_back(*key);
    table.paths.push_back(std::move(row.fields[path]));
    table.splits.push_back(std::move(row.fields[split]));
    table.groups.push_back(group ? std::move(row.fields[*group]) : std::string());
  }
}

}  // namespace

bool is_npy_name(const fs::path& file) { return file.extension() == ".npy"; }

std::vector<fs::path> files_beside_npy(const fs::path& file) { return {labels_file(file), facts_file(file)}; }

void check_files_beside_npy(const fs::path& file) {
  const bool is_replaced = fs::exists(file);
  for (const auto& [beside, start] :
       {std::pair{labels_file(file), kLabelsHeader}, std::pair{facts_file(file), kFactsStart}}) {
    if (!fs::exists(beside) || (is_replaced && begins_with(beside, start))) continue;
    throw Error{Error::Kind::kUsage, "a file of another table would be replaced",
                fmt::format("-o {}: {}", printable(file.string()), printable(beside.string())),
                "name a folder of its own with -o"};
  }
}

void write_files_beside_npy(const fs::path& file, const FeatureTable& table) {
  write_file(labels_file(file), labels_csv_of(table));
  write_file(facts_file(file), facts_json_of(table));
}

StoredTable NpyFeatures::table() const {
  const fs::path facts = facts_file(path_);
  const std::string text = text_of_table(facts);
  StoredTable stored;
  try {
    stored = facts_from(text, facts);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // nlohmann's or ours: a key is missing or of another kind
    refuse_features(facts, printable(error.what()));
  }
  const fs::path labels = labels_file(path_);
  add_rows(stored.table, text_of_table(labels), matrix_.rows(), labels);
  return stored;
}

}  // namespace headstart
