// data/dataset/class_names.cpp: see class_names.hpp.
#include "data/dataset/class_names.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "data/error.hpp"
#include "data/text_encoding.hpp"
#include "data/utf8.hpp"

namespace headstart {
namespace {

/// The form in which similar names are equal: without case, blanks and composition.
std::string spoken(const std::string& name) {
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> folded(
      utf8proc_NFKC_Casefold(reinterpret_cast<const utf8proc_uint8_t*>(name.c_str())), std::free);
  std::string result = folded == nullptr ? name : reinterpret_cast<const char*>(folded.get());
  std::erase_if(result, [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); });
  return result;
}

std::vector<std::string> parts_of(std::string_view name, char separator) {
  std::vector<std::string> parts;
  while (!name.empty()) {
    const std::string_view part = name.substr(0, name.find(separator));
    name.remove_prefix(std::min(name.size(), part.size() + 1));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

/// Finds classes that look like several labels: all of their parts are also parts of other classes.
std::optional<std::string> doubt_about_several_labels(const std::vector<std::string>& classes) {
  for (const char separator : {'|', ';', ',', ' '}) {
    std::map<std::string, int> classes_with;
    for (const std::string& name : classes) {
      const std::vector<std::string> parts = parts_of(name, separator);
      for (const std::string& part : std::set<std::string>(parts.begin(), parts.end())) ++classes_with[part];
    }
    const std::string* example = nullptr;
    int joined = 0;
    bool all_shared = true;
    for (const std::string& name : classes) {
      const std::vector<std::string> parts = parts_of(name, separator);
      if (parts.size() < 2) continue;
      ++joined;
      example = example == nullptr ? &name : example;
      all_shared = all_shared && std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
                     return classes_with.at(part) > 1;
                   });
    }
    if (joined > 0 && all_shared) {
      return fmt::format(
          "classes such as '{}' look like several labels of an image: each is taken for one class",
          printable(*example));
    }
  }
  return std::nullopt;
}

}  // namespace

std::string class_name_of(std::string_view name, const std::string& encoding, std::string_view where) {
  if (encoding.empty() && is_utf8(name)) return std::string(name);
  const auto refuse = [&](std::string_view what, const std::string& advice) {
    throw Error(Error::Kind::kFailed, fmt::format("the class name '{}' is {}", printable(name), what), where,
                advice);
  };
  if (encoding.empty()) refuse("not UTF-8", encoding_advice(name));
  std::optional<std::string> decoded = name_to_utf8(name, encoding);
  if (!decoded && is_utf8(name)) return std::string(name);
  if (!decoded) refuse("neither UTF-8 nor " + encoding, encoding_advice(name));
  return std::move(*decoded);
}

bool is_blank(const std::string& name) { return spoken(name).empty(); }

void decode_classes(Manifest& manifest, const std::string& encoding, std::string_view where) {
  const auto is_marked = [&](const std::string& name) { return manifest.utf8_classes.contains(name); };
  const bool any_encoded =
      manifest.has_other_names ||
      std::any_of(manifest.classes.begin(), manifest.classes.end(),
                  [&](const std::string& name) { return !is_marked(name) && is_encoded(name, encoding); });
  std::vector<std::string> names;
  for (const std::string& name : manifest.classes) {
    const bool is_utf8_name = !any_encoded || is_marked(name);
    names.push_back(class_name_of(name, is_utf8_name ? std::string() : encoding, where));
  }
  if (names == manifest.classes) return;

  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
  std::vector<Label> label_of(names.size());
  std::vector<std::string> classes;
  for (const std::size_t i : order) {
    if (!classes.empty() && classes.back() == names[i]) {
      throw Error(Error::Kind::kFailed,
                  fmt::format("two classes are called '{}' once they are read as {}", names[i], encoding),
                  where, "rename one of them, or put their images together");
    }
    label_of[i] = static_cast<Label>(classes.size());
    classes.push_back(names[i]);
  }
  manifest.classes = std::move(classes);
  for (Sample& sample : manifest.samples) {
    if (sample.label != kNoLabel) sample.label = label_of[static_cast<std::size_t>(sample.label)];
  }
}

std::vector<std::string> doubts_about_classes(const std::vector<std::string>& classes) {
  std::vector<std::string> doubts;
  std::map<std::string, const std::string*> first;
  for (const std::string& name : classes) {
    const auto [place, is_new] = first.try_emplace(spoken(name), &name);
    if (!is_new) {
      doubts.push_back(
          fmt::format("classes '{}' and '{}' differ by case, blanks or composition alone: are they one?",
                      printable(*place->second), printable(name)));
    }
  }
  if (std::optional<std::string> doubt = doubt_about_several_labels(classes)) doubts.push_back(*doubt);
  return doubts;
}

}  // namespace headstart
