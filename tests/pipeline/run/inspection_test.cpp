// tests/pipeline/run/inspection_test.cpp: an inspection of made-up rows, and how it is told.
#include "pipeline/run/inspection.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "head/insight/transferability.hpp"
#include "head/layers/kernel_matrix.hpp"
#include "head/random.hpp"
#include "head/search/ridge.hpp"
#include "pipeline/run/inspection_report.hpp"

namespace headstart {
namespace {

constexpr int kClasses = 3;
constexpr int kRows = 24;
constexpr RowIndex kWrong = 7;  // labelled 1, looks like 2

/// Rows that say their class loudly; row kWrong has another class's label, rows 0 and 3 are the same.
struct MadeUp {
  Matrix features = Matrix::Zero(kRows, 12);
  std::vector<std::int32_t> labels;

  MadeUp() {
    Random random(4);
    for (Eigen::Index row = 0; row < kRows; ++row) {
      const auto looks = static_cast<std::int32_t>(row) % kClasses;
      for (Eigen::Index column = 0; column < features.cols(); ++column)
        features(row, column) = 0.6F * random.uniform() + (column % kClasses == looks ? 0.8F : 0.0F);
      labels.push_back(looks);
    }
    features.row(3) = 2.0F * features.row(0);
    labels[kWrong] = 2;
  }

  [[nodiscard]] StoredRows stored() const {
    FeatureCache::Layout layout;
    layout.nonzeros = features.size();
    return {.count = static_cast<std::size_t>(features.rows()),
            .shape = {2, 2, 3},
            .layout = layout,
            .place = "the test",
            .read = [this](std::span<const RowIndex> wanted) {
              SparseRows result;
              result.columns = features.cols();
              for (const RowIndex row : wanted) {
                const RowVector dense = features.row(row);
                result.append_dense({dense.data(), static_cast<std::size_t>(dense.size())});
              }
              return result;
            }};
  }

  [[nodiscard]] Inspection inspect(const InspectionWork& work = {}) const {
    const StoredRows rows = stored();
    return inspect_rows({rows, labels, kClasses, std::vector<std::int32_t>(labels.size(), -1)}, 0.999, work);
  }
};

/// As for more images than are compared flattened.
const InspectionWork kByAverages{.threads = 2, .most_flattened = 0};

/// Names for the made-up rows; sample 0 was rejected, so that rows and samples differ.
ExtractedDataset names() {
  ExtractedDataset dataset;
  dataset.manifest.classes = {"cat", "dog\n", "owl"};
  dataset.manifest.has_given_splits = true;
  dataset.manifest.samples.push_back({"cat/broken.jpg", {}, 0, Split::kTrain, ""});
  dataset.content.emplace_back();
  const std::vector<std::int32_t> labels = MadeUp().labels;
  for (int row = 0; row < kRows; ++row) {
    const auto label = labels[static_cast<std::size_t>(row)];
    dataset.manifest.samples.push_back(
        {"image" + std::to_string(row), {}, label, row == 3 ? Split::kValidation : Split::kTrain, ""});
    dataset.content.emplace_back(sha256(std::to_string(row)));
    dataset.used.push_back(static_cast<std::size_t>(row) + 1);
  }
  dataset.manifest.samples[4].label = 1;  // the copy, row 3
  dataset.content[4] = dataset.content[1];
  return dataset;
}

TEST(InspectRows, FindsTheCopyAndTheWrongLabel) {
  for (const bool by_averages : {false, true}) {
    const Inspection found = MadeUp().inspect(by_averages ? kByAverages : InspectionWork{});
    EXPECT_EQ(found.comparison.flattened, !by_averages);
    EXPECT_EQ(found.comparison.neighbours.value_or(0), by_averages ? 10U : 0U);
    ASSERT_EQ(found.near_duplicates.pairs.size(), 1U);
    EXPECT_EQ(found.near_duplicates.pairs[0].first, 0);
    EXPECT_EQ(found.near_duplicates.pairs[0].second, 3);
    ASSERT_FALSE(found.suspects.empty());
    EXPECT_EQ(found.suspects[0].row, kWrong);
    EXPECT_EQ(found.suspects[0].suggested, kWrong % kClasses);
    EXPECT_NEAR(found.out_of_fold.metrics.accuracy, 1.0 - static_cast<double>(found.suspects.size()) / kRows,
                1e-12);
    EXPECT_EQ(found.outliers.rows.size(), static_cast<std::size_t>(kRows));
    EXPECT_EQ(found.separability.classes.size(), static_cast<std::size_t>(kClasses));
  }
}

TEST(InspectRows, OfManyImagesTheFlattenedRowsDecideWhatIsACopy) {
  MadeUp rows;
  // The same averages as row 0, with the positions exchanged: as near as a copy, but none.
  for (Eigen::Index position = 0; position < 4; ++position)
    rows.features.row(9).segment(3 * position, 3) = rows.features.row(0).segment(3 * (3 - position), 3);
  const Inspection found = rows.inspect(kByAverages);
  ASSERT_EQ(found.near_duplicates.pairs.size(), 1U);
  EXPECT_EQ(found.near_duplicates.pairs[0].second, 3);
  EXPECT_NEAR(found.near_duplicates.pairs[0].cosine, 1.0, 1e-6);
}

TEST(InspectRows, LeavesOutTheCopiesAndGroupsOfARow) {
  // Rows come in threes whose labels only the three know.
  MadeUp rows;
  Random random(6);
  for (Eigen::Index row = 0; row < kRows; ++row) {
    for (Eigen::Index column = 0; column < 12; ++column) {
      rows.features(row, column) =
          row % 3 == 0 ? (random.uniform() < 0.5F ? 1.0F : 0.0F) + 0.01F : rows.features(row - 1, column);
    }
    rows.features(row, row % 12) += 0.05F;  // alike, but below the threshold
    rows.labels[static_cast<std::size_t>(row)] = row % 3 == 0
                                                     ? static_cast<std::int32_t>(random.below(kClasses))
                                                     : rows.labels[static_cast<std::size_t>(row) - 1];
  }
  std::vector<std::int32_t> groups(kRows);
  for (std::size_t row = 0; row < groups.size(); ++row) groups[row] = static_cast<std::int32_t>(row / 3);
  const StoredRows stored = rows.stored();
  const auto accuracy = [&](const std::vector<std::int32_t>& known) {
    return inspect_rows({stored, rows.labels, kClasses, known}, 0.99999).out_of_fold.metrics.accuracy;
  };
  const double alone = accuracy(std::vector<std::int32_t>(kRows, -1));
  EXPECT_GT(alone, 0.9);
  EXPECT_LT(accuracy(groups), alone - 0.2);
  // All rows in one group: nothing would be left to learn from, so that rows are left out alone.
  EXPECT_EQ(accuracy(std::vector<std::int32_t>(kRows, 0)), alone);
}

TEST(InspectRows, SaysWhatItDoesAndStopsWhenAsked) {
  for (const std::size_t most_flattened : {std::size_t{0}, kMostFlattenedRows}) {
    std::vector<std::string> stages;
    InspectionWork work{.threads = 1, .most_flattened = most_flattened};
    work.progress = [&](std::string_view stage, std::size_t done, std::size_t total) {
      EXPECT_LE(done, total);
      if (stages.empty() || stages.back() != stage) stages.emplace_back(stage);
    };
    static_cast<void>(MadeUp().inspect(work));
    ASSERT_GE(stages.size(), 3U);
    EXPECT_EQ(stages[0], "read features");
    EXPECT_EQ(stages[1], "compare images");
    // Stops at whichever question the request comes.
    for (const int after : {1, 5, 9}) {
      work.cancellation =
          Cancellation([after, asked = std::make_shared<int>(0)] { return ++*asked >= after; });
      EXPECT_THROW(static_cast<void>(MadeUp().inspect(work)), Cancelled);
    }
  }
}

TEST(InspectRows, DoesNotDependOnTheLengthOfRows) {
  MadeUp rows;
  const Inspection before = rows.inspect();
  for (Eigen::Index row = 0; row < kRows; ++row) rows.features.row(row) *= row % 2 == 0 ? 0.125F : 16.0F;
  const Inspection after = rows.inspect();
  EXPECT_NEAR(after.out_of_fold.metrics.cross_entropy, before.out_of_fold.metrics.cross_entropy, 1e-4);
  ASSERT_EQ(after.suspects.size(), before.suspects.size());
  for (std::size_t i = 0; i < before.suspects.size(); ++i)
    EXPECT_EQ(after.suspects[i].row, before.suspects[i].row);
}

TEST(InspectRows, CalibratesItsProbabilities) {
  const Inspection found = MadeUp().inspect();
  const RidgeRegression ridge(unit_kernel_matrix(MadeUp().features * MadeUp().features.transpose()),
                              MadeUp().labels, kClasses);
  std::vector<std::int32_t> groups(kRows, -1);
  groups[0] = groups[3] = 0;
  const RidgeBaseline raw = ridge.leave_out(ridge.default_lambdas(), groups);
  EXPECT_NEAR(found.out_of_fold.lambda / raw.lambdas[raw.best], 1.0, 1e-5);  // another order of sums in K
  EXPECT_LT(found.out_of_fold.metrics.cross_entropy,
            evaluate_logits(raw.scores, MadeUp().labels).cross_entropy);
}

TEST(InspectRows, RefusesOneRow) {
  MadeUp rows;
  rows.features = Matrix::Ones(1, 12);
  rows.labels = {0};
  EXPECT_THROW(static_cast<void>(rows.inspect()), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(rows.inspect(kByAverages)), std::invalid_argument);
}

TEST(ScoreFeatures, IsLogMeOfEveryPooling) {
  const MadeUp rows;
  const StoredRows stored = rows.stored();
  const InspectedRows inspected{stored, rows.labels, kClasses, {}};
  const std::vector<FeatureScore> scores = score_features(Tap{"block3_pool"}, inspected);
  ASSERT_EQ(scores.size(), 3U);
  EXPECT_EQ(score_features(Tap{"block3_pool"}, inspected, {}, kByAverages).size(), 2U);  // without flattened
  // Rows of a file that are pooled already have one score.
  MadeUp pooled_rows = rows;
  pooled_rows.features = rows.features.leftCols(3);
  StoredRows of_file = pooled_rows.stored();
  of_file.shape = {1, 1, 3};
  const std::vector<FeatureScore> one =
      score_features(Tap{"block3_pool"}, {of_file, rows.labels, kClasses, {}}, Pooling::kMaximum);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].pooling, Pooling::kMaximum);
  Matrix average = Matrix::Zero(kRows, 3);
  Matrix largest = Matrix::Zero(kRows, 3);
  for (Eigen::Index position = 0; position < 4; ++position) {
    average += 0.25F * rows.features.middleCols(3 * position, 3);
    largest = largest.cwiseMax(rows.features.middleCols(3 * position, 3));
  }
  for (const FeatureScore& score : scores) {
    EXPECT_EQ(score.tap, Tap{"block3_pool"});
    const Matrix& pooled = score.pooling == Pooling::kFlatten   ? rows.features
                           : score.pooling == Pooling::kAverage ? average
                                                                : largest;
    const double expected =
        log_maximum_evidence(pooled * pooled.transpose(), rows.labels, kClasses, pooled.cols(), 1);
    EXPECT_NEAR(score.log_maximum_evidence, expected, 1e-4) << to_string(score.pooling);
  }
}

TEST(InspectionText, NamesImagesAndSaysWhatIsWrongWithAPair) {
  Inspection inspection = MadeUp().inspect();
  inspection.scores = {{Tap{"block5_pool"}, Pooling::kMaximum, 0.125}};
  const std::string text = inspection_text(inspection, names(), 20);
  EXPECT_NE(text.find("Near-duplicates: 1 pairs above cosine 0.999\n"), std::string::npos) << text;
  EXPECT_NE(
      text.find("image0  image3  same file; labels differ: cat, dog\\x0a; splits differ: train, validation"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("image7"), std::string::npos) << text;
  EXPECT_NE(text.find("block5_pool  max      0.1250\n"), std::string::npos) << text;
}

TEST(InspectionText, CountsWhatItLeavesOut) {
  Inspection inspection = MadeUp().inspect();
  for (RowIndex row = 1; row < 6; ++row) inspection.near_duplicates.pairs.push_back({0, row, 0.9991});
  inspection.near_duplicates.total = 9;
  const std::string text = inspection_text(inspection, names(), 2);
  EXPECT_NE(text.find("... and 7 more\n"), std::string::npos) << text;
  EXPECT_NE(inspection_text(inspection, names(), 0).find("Near-duplicates: 9"), std::string::npos);
}

TEST(InspectionText, SaysWhatWasCompared) {
  const auto first_line = [](const Inspection& inspection) {
    const std::string text = inspection_text(inspection, names(), 20);
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first_line(MadeUp().inspect()), "Compared: every pair of images, by all stored features");
  Inspection many = MadeUp().inspect(kByAverages);
  EXPECT_EQ(
      first_line(many),
      "Compared: each image with its 10 nearest, by the averages of the channels; close pairs by all stored "
      "features");
  many.comparison.recall = 0.987;
  many.comparison.not_verified = 5;
  EXPECT_NE(first_line(many).find("which found 98.7 % of those of a sample; 5 further pairs"),
            std::string::npos)
      << first_line(many);
  EXPECT_EQ(inspection_json(many, names())["comparison"]["recall"], 0.987);
  EXPECT_NE(inspection_tables(many, names(), 20)[0].note.find("98.7 %"), std::string::npos);
}

TEST(KnownGroups, AreThoseOfBytesAndOfTheManifest) {
  ExtractedDataset dataset = names();       // rows 0 and 3 are the same bytes
  dataset.manifest.samples[4].group = "a";  // row 3
  dataset.manifest.samples[6].group = "a";  // row 5
  dataset.manifest.samples[7].group = "b";  // row 6, alone
  const std::vector<std::int32_t> groups = known_groups(dataset);
  ASSERT_EQ(groups.size(), static_cast<std::size_t>(kRows));
  EXPECT_GE(groups[0], 0);
  EXPECT_EQ(groups[3], groups[0]);
  EXPECT_EQ(groups[5], groups[0]);
  for (const std::size_t row : {1U, 2U, 4U, 6U}) EXPECT_LT(groups[row], 0) << row;
}

TEST(InspectionJson, HasEverything) {
  const Inspection inspection = MadeUp().inspect();
  const nlohmann::ordered_json json = inspection_json(inspection, names());
  EXPECT_EQ(json["comparison"]["features"], "all");
  const auto& pair = json["near_duplicates"]["pairs"][0];
  EXPECT_EQ(pair["first"]["path"], "image0");
  EXPECT_EQ(pair["second"]["label"], "dog\n");
  EXPECT_EQ(pair["second"]["split"], "validation");
  EXPECT_EQ(pair["same_file"], true);
  EXPECT_EQ(pair["labels_differ"], true);
  EXPECT_EQ(pair["splits_differ"], true);
  EXPECT_EQ(json["suspect_labels"].size(), inspection.suspects.size());
  EXPECT_EQ(json["suspect_labels"][0]["path"], "image7");
  EXPECT_EQ(json["outliers"]["images"].size(), static_cast<std::size_t>(kRows));
  EXPECT_EQ(json["classes"].size(), 3U);
  EXPECT_EQ(json["confused_classes"].size(), 3U);
  EXPECT_EQ(json["out_of_fold"]["accuracy"], inspection.out_of_fold.metrics.accuracy);
}

}  // namespace
}  // namespace headstart
