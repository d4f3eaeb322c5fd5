// pipeline/run/split_rows.cpp
#include "pipeline/run/split_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset/split.hpp"
#include "data/error.hpp"
#include "head/training/trainer.hpp"

namespace headstart {
namespace {

bool has_split(const Manifest& manifest, std::span<const std::size_t> used, Split split) {
  return std::any_of(used.begin(), used.end(),
                     [&](std::size_t row) { return manifest.samples[row].split == split; });
}

/// A note if one class has many times the training images of another: what that is, and what
/// --class-weight balanced would do. Empty if none has.
/// @param counts  the training images of each class; two or more classes have some
std::string note_on_imbalance(const std::vector<std::int64_t>& counts, const SplitRows& rows,
                              const std::vector<std::string>& classes) {
  constexpr std::int64_t kUnequal = 20;
  const auto most = std::max_element(counts.begin(), counts.end());
  const auto least = std::min_element(counts.begin(), counts.end(), [](std::int64_t a, std::int64_t b) {
    return a > 0 && (b == 0 || a < b);  // classes without images are the last
  });
  if (*most <= kUnequal * *least) return "";
  const auto largest = static_cast<std::size_t>(most - counts.begin());
  const auto smallest = static_cast<std::size_t>(least - counts.begin());
  std::string note = fmt::format(
      "classes are unequal: '{}' has {} training images and '{}' has {}, {:.0f} : 1; --class-weight "
      "balanced ",
      printable(classes[largest]), *most, printable(classes[smallest]), *least,
      static_cast<double>(*most) / static_cast<double>(*least));
  if (std::find(counts.begin(), counts.end(), 0) != counts.end())
    return note + "would make them count alike, once every class has images";
  const std::vector<float> weights =
      balanced_class_weights(rows.labels, rows.training, static_cast<int>(classes.size()));
  return note + fmt::format(
                    "would make them count alike: each image of '{}' {:.3g} times, each of '{}' {:.3g} times",
                    printable(classes[largest]), weights[largest], printable(classes[smallest]),
                    weights[smallest]);
}

}  // namespace

void check_early_stopping(const Manifest& manifest, double validation, int early_stopping) {
  if (early_stopping == 0 || validation > 0.0) return;
  if (std::any_of(manifest.samples.begin(), manifest.samples.end(),
                  [](const Sample& sample) { return sample.split == Split::kValidation; }))
    return;
  throw Error{Error::Kind::kUsage, "wrong usage", "--early-stopping with --validation 0",
              "early stopping watches validation images: hold some out, or leave out --early-stopping"};
}

void assign_splits(ExtractedDataset& dataset, double validation, std::uint64_t seed) {
  Manifest& manifest = dataset.manifest;
  if (has_split(manifest, dataset.used, Split::kValidation)) return;
  // All rows, or the given training rows of a dataset with train/ and test/ only.
  std::vector<std::size_t> candidates;
  for (const std::size_t row : dataset.used) {
    Split& split = manifest.samples[row].split;
    if (split == Split::kTest) continue;
    split = Split::kTrain;
    candidates.push_back(row);
  }
  if (validation > 0.0) {
    draw_validation_split(manifest, candidates, dataset.content, validation, seed);
  }
}

SplitRows split_rows(const ExtractedDataset& dataset) {
  SplitRows rows;
  for (std::size_t i = 0; i < dataset.used.size(); ++i) {
    const Sample& sample = dataset.manifest.samples[dataset.used[i]];
    rows.labels.push_back(sample.label);
    const auto index = static_cast<RowIndex>(i);
    if (sample.split == Split::kTrain) rows.training.push_back(index);
    if (sample.split == Split::kValidation) rows.validation.push_back(index);
    if (sample.split == Split::kTest) rows.test.push_back(index);
  }
  return rows;
}

void check_trainable(const ExtractedDataset& dataset, const SplitRows& rows, ClassWeight class_weight,
                     const std::string& name, Console& console) {
  std::vector<std::int64_t> counts(dataset.manifest.classes.size(), 0);
  for (const RowIndex row : rows.training) {
    ++counts[static_cast<std::size_t>(rows.labels[static_cast<std::size_t>(row)])];
  }
  const auto present =
      std::count_if(counts.begin(), counts.end(), [](std::int64_t count) { return count > 0; });
  if (present < 2) {
    throw Error{Error::Kind::kData, "cannot train",
                fmt::format("{}: {} of {} classes have usable training images", name, present, counts.size()),
                "at least two are needed"};
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) continue;
    const std::string label = printable(dataset.manifest.classes[i]);
    if (class_weight == ClassWeight::kBalanced) {
      throw Error{Error::Kind::kData, "cannot balance the classes",
                  fmt::format("{}: class '{}' has no training image", name, label),
                  "add some, remove the class, or pass --class-weight none"};
    }
    console.warn(fmt::format("class '{}' has no usable training image: the model can't learn it", label));
  }
  if (class_weight == ClassWeight::kBalanced) return;
  const std::string note = note_on_imbalance(counts, rows, dataset.manifest.classes);
  if (!note.empty()) console.note(note);
}

std::vector<Sha256> keys_of(const ExtractedDataset& dataset) {
  std::vector<Sha256> keys;
  keys.reserve(dataset.used.size());
  for (const std::size_t row : dataset.used) keys.push_back(*dataset.content[row]);
  return keys;
}

void append(const TrainingViews& views, SplitRows& rows, std::vector<Sha256>& keys) {
  for (std::size_t i = 0; i < views.keys.size(); ++i) {
    rows.training.push_back(static_cast<RowIndex>(keys.size()));
    rows.labels.push_back(rows.labels[static_cast<std::size_t>(views.originals[i])]);
    keys.push_back(views.keys[i]);
  }
}

RunIdentity facts_of(const SplitRows& rows, std::span<const Sha256> keys,
                     const std::vector<std::string>& classes, const ExtractorConfiguration& configuration) {
  std::string lines;
  for (std::size_t i = 0; i < keys.size(); ++i)
    lines += fmt::format("{} {}\n", keys[i].hex(), rows.labels[i]);
  for (const auto* members : {&rows.training, &rows.validation}) {
    lines += fmt::format("{}\n", fmt::join(*members, " "));
  }
  return {{"version", HEADSTART_VERSION},
          {"fingerprint", configuration.fingerprint()},
          {"classes", sha256(fmt::format("{}", fmt::join(classes, "\n"))).hex()},
          {"rows_sha256", sha256(lines).hex()}};
}

}  // namespace headstart
