// data/dataset/split_folders.cpp: see split_folders.hpp.
#include "data/dataset/split_folders.hpp"

#include <algorithm>
#include <array>

namespace headstart {
namespace {

struct SplitWord {
  std::string_view word;
  Split split;
};

constexpr std::array<SplitWord, 10> kSplitWords = {{{"train", Split::kTrain},
                                                    {"training", Split::kTrain},
                                                    {"val", Split::kValidation},
                                                    {"valid", Split::kValidation},
                                                    {"validation", Split::kValidation},
                                                    {"validate", Split::kValidation},
                                                    {"dev", Split::kValidation},
                                                    {"test", Split::kTest},
                                                    {"tests", Split::kTest},
                                                    {"testing", Split::kTest}}};

/// "train_images" means the same as "train".
constexpr std::array<std::string_view, 8> kFillers = {"set",   "data", "dataset", "images",
                                                      "image", "imgs", "split",   "folder"};

std::optional<Split> split_of_word(std::string_view word) {
  const auto found = std::find_if(kSplitWords.begin(), kSplitWords.end(),
                                  [&](const SplitWord& known) { return known.word == word; });
  if (found == kSplitWords.end()) return std::nullopt;
  return found->split;
}

/// Runs of letters, in lower case.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (const char c : name) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper || (c >= 'a' && c <= 'z')) {
      words.back() += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool is_ascii_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; });
}

}  // namespace

std::optional<Split> well_known_split(std::string_view name) {
  if (!is_ascii_name(name)) return std::nullopt;
  std::string joined;
  for (const std::string& word : words_of(name)) joined += word;
  if (const auto split = split_of_word(joined)) return split;
  for (const std::string_view filler : kFillers) {
    if (!joined.ends_with(filler)) continue;
    if (const auto split = split_of_word(std::string_view(joined).substr(0, joined.size() - filler.size())))
      return split;
  }
  return std::nullopt;
}

std::optional<Split> likely_split(std::string_view name) {
  if (const auto split = well_known_split(name)) return split;
  for (const std::string& word : words_of(name)) {
    if (word == "eval" || word == "evaluation") return Split::kValidation;
    if (const auto split = split_of_word(word)) return split;
  }
  return std::nullopt;
}

std::optional<SplitFolders> parse_split_folders(std::string_view text) {
  if (text == "auto") return SplitFolders{};
  if (text == "none") return SplitFolders{SplitFolders::Kind::kNone, {}};
  SplitFolders result{SplitFolders::Kind::kGiven, {}};
  while (true) {
    const std::string_view pair = text.substr(0, text.find(','));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string_view folder = pair.substr(equals + 1);
    while (folder.ends_with('/')) folder.remove_suffix(1);
    while (folder.starts_with("./")) folder.remove_prefix(2);
    const auto split = split_of_word(pair.substr(0, equals));
    if (!split || folder.empty()) return std::nullopt;
    result.folders.emplace_back(*split, folder);
    if (pair.size() == text.size()) return result;
    text.remove_prefix(pair.size() + 1);
  }
}

std::string to_string(const SplitFolders& splits) {
  if (splits.kind != SplitFolders::Kind::kGiven)
    return splits.kind == SplitFolders::Kind::kNone ? "none" : "auto";
  std::string text;
  for (const auto& [split, folder] : splits.folders) {
    if (!text.empty()) text += ',';
    text += std::string(to_string(split)) + '=' + folder;
  }
  return text;
}

}  // namespace headstart
