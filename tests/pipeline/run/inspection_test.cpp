// tests/pipeline/run/inspection_test.cpp: an inspection of made-up rows, and how it is told.
#include "pipeline/run/inspection.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

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

  [[nodiscard]] Inspection inspect() const {
    return inspect_rows(features * features.transpose(), labels, kClasses, 0.999);
  }
};

TEST(InspectRows, FindsTheCopyAndTheWrongLabel) {
  const Inspection found = MadeUp().inspect();
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
  const RidgeRegression ridge(unit_kernel_matrix(MadeUp().features * MadeUp().features.transpose()));
  const RidgeBaseline raw = ridge.leave_one_out(MadeUp().labels, kClasses, ridge.default_lambdas());
  EXPECT_EQ(found.out_of_fold.lambda, raw.lambdas[raw.best]);
  EXPECT_LT(found.out_of_fold.metrics.cross_entropy,
            evaluate_logits(raw.scores, MadeUp().labels).cross_entropy);
}

TEST(InspectRows, RefusesOneRow) {
  const std::vector<std::int32_t> labels{0};
  EXPECT_THROW(static_cast<void>(inspect_rows(Matrix::Ones(1, 1), labels, 2, 0.9)), std::invalid_argument);
}

TEST(ScoreFeatures, IsLogMeOfEveryPooling) {
  const MadeUp rows;
  std::vector<Sha256> keys;
  keys.reserve(kRows);
  for (int row = 0; row < kRows; ++row) keys.push_back(sha256(std::to_string(row)));
  const auto read = [&](std::span<const Sha256> wanted) {
    SparseRows result;
    result.columns = 12;
    for (const Sha256& key : wanted) {
      const auto row = std::find(keys.begin(), keys.end(), key) - keys.begin();
      const RowVector dense = rows.features.row(row);
      result.append_dense({dense.data(), 12});
    }
    return result;
  };
  const MapShape shape{2, 2, 3};
  const std::vector<FeatureScore> scores =
      score_features(Tap{"block3_pool"}, shape, read, keys, rows.labels, kClasses, 1);
  ASSERT_EQ(scores.size(), 3U);
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
        log_maximum_evidence(pooled * pooled.transpose(), rows.labels, kClasses, pooled.cols());
    EXPECT_NEAR(score.log_maximum_evidence, expected, 1e-4) << to_string(score.pooling);
  }
}

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

TEST(InspectionJson, HasEverything) {
  const Inspection inspection = MadeUp().inspect();
  const nlohmann::ordered_json json = inspection_json(inspection, names());
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
