// pipeline/commands/sweep_report.cpp
#include "pipeline/commands/sweep_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/csv.hpp"
#include "pipeline/process/text_table.hpp"
#include "pipeline/report/chart.hpp"

namespace headstart {
namespace {

using Json = nlohmann::ordered_json;

std::string hidden_text(const std::vector<int>& hidden) {
  if (hidden.empty()) return "0";
  std::string text;
  for (const int width : hidden) text += fmt::format("{}{}", text.empty() ? "" : "+", width);
  return text;
}

std::vector<std::string> candidate_cells(const Candidate& candidate) {
  return {std::string(to_string(candidate.representation.pooling)),
          std::string(to_string(candidate.representation.transform)), hidden_text(candidate.hidden),
          fmt::format("{}", candidate.rate), fmt::format("{}", candidate.l2)};
}

// First the baselines, which are to be beaten, then the candidates.
std::vector<std::vector<std::string>> score_rows(const Sweep& sweep, std::size_t most) {
  std::vector<std::vector<std::string>> rows{{"", "pooling", "transform", "hidden", "rate", "L2", "epochs",
                                              "accuracy", "+-", "cross-entropy", "round"}};
  if (!sweep.ridge.empty()) {
    const RidgeScore& ridge = sweep.ridge.front();
    rows.push_back({"ridge, leave-one-out", std::string(to_string(ridge.representation.pooling)),
                    std::string(to_string(ridge.representation.transform)), "0", "",
                    fmt::format("{:.3g}", ridge.lambda), "", fmt::format("{:.4f}", ridge.accuracy), "", "",
                    ""});
  }
  if (sweep.recipe) {
    const OutOfFold& score = sweep.recipe->score;
    std::vector<std::string> cells{sweep.recipe->images < static_cast<std::size_t>(sweep.images())
                                       ? fmt::format("train's defaults, {} images", sweep.recipe->images)
                                       : "train's defaults"};
    for (std::string& cell : candidate_cells(sweep.recipe->candidate)) cells.push_back(std::move(cell));
    cells[4].clear();  // its learning rate is not a multiple of mean |x|^2
    cells.push_back(fmt::format("{}", TrainingOptions{}.epochs));
    cells.push_back(fmt::format("{:.4f}", score.accuracy));
    cells.push_back(fmt::format("{:.4f}", score.deviation));
    cells.push_back(fmt::format("{:.4f}", score.cross_entropy));
    cells.emplace_back();
    rows.push_back(std::move(cells));
  }
  std::size_t rank = 0;
  for (const CandidateScore& score : sweep.search.scores) {
    if (rank == most) break;
    std::vector<std::string> cells{fmt::format("{}", ++rank)};
    for (std::string& cell : candidate_cells(score.candidate)) cells.push_back(std::move(cell));
    cells.push_back(fmt::format("{}", score.epochs));
    cells.push_back(fmt::format("{:.4f}", score.accuracy));
    cells.push_back(fmt::format("{:.4f}", score.deviation));
    cells.push_back(fmt::format("{:.4f}", score.cross_entropy));
    cells.push_back(fmt::format("{}", score.round + 1));
    rows.push_back(std::move(cells));
  }
  return rows;
}

// The rounds, and what was not tried for want of time.
std::string rounds_note(const SearchResult& search) {
  std::string text;
  for (const SearchRound& round : search.rounds) {
    text += fmt::format("{}{} configurations on {} images for up to {} epochs",
                        text.empty() ? "Rounds: " : "; ", round.candidates, round.images, round.epochs);
  }
  text += ".";
  if (search.not_tried.empty()) return text;
  std::vector<std::string> representations;
  for (const Representation& of : representations_of(search.not_tried))
    representations.push_back(fmt::format("{} {}", to_string(of.pooling), to_string(of.transform)));
  return text + fmt::format(" Not tried within the budget: {} configurations, of {}.",
                            search.not_tried.size(), fmt::join(representations, ", "));
}

std::string search_note(const Sweep& sweep) {
  std::string text =
      rounds_note(sweep.search) + "\n" +
      fmt::format(
          "{} configurations in {:.1f} s. Accuracies are means and standard deviations over {} folds of the "
          "{} "
          "training "
          "images (ridge: leave-one-out, which trains on more); the first configuration's is optimistic, "
          "because "
          "it was "
          "chosen for it. rate is learning rate x mean |x|^2.\nTemperature {:.3f}: expected calibration "
          "error "
          "out of "
          "fold {:.4f}, {:.4f} before.",
          sweep.search.scores.size(), sweep.seconds, sweep.folds(), sweep.images(), sweep.temperature,
          sweep.best.calibration_error, sweep.best.calibration_error_before);
  if (sweep.nested) {
    text += fmt::format(
        "\nNested cross-validation, each image judged by a search that did not see it: accuracy {:.4f} +- "
        "{:.4f}, "
        "expected calibration error {:.4f}.",
        sweep.nested->accuracy, sweep.nested->deviation, sweep.nested->calibration_error);
  }
  return text;
}

std::vector<std::vector<std::string>> curve_rows(const Sweep& sweep) {
  std::vector<std::vector<std::string>> rows{
      {"images a class, at most", "training images", "accuracy", "+-"}};
  for (const LearningCurvePoint& point : sweep.learning_curve) {
    rows.push_back({fmt::format("{}", point.rows_per_class), fmt::format("{:.0f}", point.training_rows),
                    fmt::format("{:.4f}", point.accuracy), fmt::format("{:.4f}", point.deviation)});
  }
  return rows;
}

/// A chart of the candidates' accuracy for each value of one searched option.
std::string candidates_chart(const Sweep& sweep, const std::string& title, std::size_t cell) {
  std::size_t last_round = 0;
  for (const CandidateScore& score : sweep.search.scores)
    last_round = std::max(last_round, static_cast<std::size_t>(score.round));
  std::vector<std::string> categories;
  for (const CandidateScore& score : sweep.search.scores)
    categories.push_back(candidate_cells(score.candidate)[cell]);
  // Numbers in order of size, words in alphabetical order.
  const auto before = [](const std::string& a, const std::string& b) {
    char* end = nullptr;
    const double first = std::strtod(a.c_str(), &end);
    const bool numbers = *end == '\0';
    return numbers ? first < std::strtod(b.c_str(), nullptr) : a < b;
  };
  std::sort(categories.begin(), categories.end(), before);
  categories.erase(std::unique(categories.begin(), categories.end()), categories.end());
  if (categories.size() < 2) return "";
  std::vector<StripPoint> points;
  // The best one last, so that it is drawn on top.
  for (auto score = sweep.search.scores.rbegin(); score != sweep.search.scores.rend(); ++score) {
    const std::vector<std::string> cells = candidate_cells(score->candidate);
    const auto category = std::find(categories.begin(), categories.end(), cells[cell]);
    const bool best = score + 1 == sweep.search.scores.rend();
    points.push_back(
        {static_cast<std::size_t>(category - categories.begin()), score->accuracy,
         best                                                   ? "second"
         : static_cast<std::size_t>(score->round) == last_round ? "first"
                                                                : "faint",
         fmt::format("{}: {:.4f} after {} epochs", fmt::join(cells, ", "), score->accuracy, score->epochs)});
  }
  return strip_chart(title, categories, points);
}

// Whether more images would help, judged by the gain of the last step.
std::string curve_note(const Sweep& sweep) {
  const auto& points = sweep.learning_curve;
  if (points.size() < 2) return "";
  const LearningCurvePoint& last = points.back();
  const LearningCurvePoint& before = points[points.size() - 2];
  const double gain = last.accuracy - before.accuracy;
  // The error of the difference of two means over the same folds.
  const double error = std::sqrt((last.deviation * last.deviation + before.deviation * before.deviation) /
                                 static_cast<double>(sweep.folds()));
  return fmt::format("From {:.0f} to {:.0f} training images: {:+.4f}, give or take {:.4f}: {}.",
                     before.training_rows, last.training_rows, gain, error,
                     gain > error ? "more images would probably help" : "more images may help little");
}

Json rounds_json(const SearchResult& search) {
  Json rounds = Json::array();
  for (std::size_t r = 0; r < search.rounds.size(); ++r) {
    Json solvers = Json::array();
    for (const RoundSolver& of : search.solvers) {
      if (of.round != static_cast<int>(r)) continue;
      solvers.push_back({{"pooling", to_string(of.representation.pooling)},
                         {"transform", to_string(of.representation.transform)},
                         {"solver", to_string(of.solver)}});
    }
    rounds.push_back({{"images", search.rounds[r].images},
                      {"epochs", search.rounds[r].epochs},
                      {"configurations", search.rounds[r].candidates},
                      {"solvers", solvers}});
  }
  return rounds;
}

Json to_json(const OutOfFold& score) {
  return {{"accuracy", score.accuracy},
          {"deviation", score.deviation},
          {"cross_entropy", score.cross_entropy},
          {"expected_calibration_error_before", score.calibration_error_before},
          {"expected_calibration_error", score.calibration_error}};
}

}  // namespace

std::string sweep_table(const Sweep& sweep, std::size_t most) {
  std::string text = text_table(score_rows(sweep, most)) + search_note(sweep) + "\n";
  if (!sweep.learning_curve.empty()) {
    text += "\nlearning curve of the first configuration, out of fold\n" + text_table(curve_rows(sweep)) +
            curve_note(sweep) + "\n";
  }
  return text;
}

std::vector<ReportTable> sweep_report(const Sweep& sweep, std::size_t most) {
  std::vector<ReportTable> tables{
      {"Cross-validated configurations",
       search_note(sweep) + " In the charts each point is a configuration: orange the chosen one, blue those "
                            "of the last round, grey those that were given up earlier, after fewer epochs.",
       score_rows(sweep, most)}};
  constexpr std::array<const char*, 5> kSearched{"pooling", "transform", "hidden units",
                                                 "learning rate x mean |x|^2", "L2"};
  for (std::size_t cell = 0; cell < kSearched.size(); ++cell) {
    std::string chart = candidates_chart(sweep, fmt::format("Accuracy by {}", kSearched[cell]), cell);
    if (!chart.empty()) tables.front().charts.push_back(std::move(chart));
  }
  if (!sweep.learning_curve.empty()) {
    tables.push_back(
        {"Learning curve of the first configuration, out of fold", curve_note(sweep), curve_rows(sweep)});
  }
  return tables;
}

std::string sweep_csv(const Sweep& sweep) {
  std::string text = csv_line({"pooling", "transform", "hidden", "rate", "l2", "epochs", "accuracy",
                               "deviation", "cross_entropy", "round", "fold_accuracies"});
  for (const CandidateScore& score : sweep.search.scores) {
    std::vector<std::string> cells = candidate_cells(score.candidate);
    cells.push_back(fmt::format("{}", score.epochs));
    cells.push_back(fmt::format("{}", score.accuracy));
    cells.push_back(fmt::format("{}", score.deviation));
    cells.push_back(std::isfinite(score.cross_entropy) ? fmt::format("{}", score.cross_entropy) : "");
    cells.push_back(fmt::format("{}", score.round + 1));
    cells.push_back(fmt::format("{}", fmt::join(score.fold_accuracies, " ")));
    text += csv_line(cells);
  }
  return text;
}

Json to_json(const Sweep& sweep) {
  const CandidateScore& best = sweep.search.scores.front();
  Json json{{"folds", sweep.folds()},
            {"images", sweep.images()},
            {"configurations", sweep.search.scores.size()},
            {"rounds", rounds_json(sweep.search)},
            {"seconds", sweep.seconds},
            {"temperature", sweep.temperature},
            {"chosen",
             {{"pooling", to_string(best.candidate.representation.pooling)},
              {"transform", to_string(best.candidate.representation.transform)},
              {"hidden", best.candidate.hidden},
              {"rate", best.candidate.rate},
              {"l2", best.candidate.l2},
              {"epochs", best.epochs}}},
            {"cross_validated", to_json(sweep.best)},
            {"nested", sweep.nested ? to_json(*sweep.nested) : Json(nullptr)},
            {"recipe", nullptr}};
  if (sweep.recipe) {
    json["recipe"] = to_json(sweep.recipe->score);
    json["recipe"]["images"] = sweep.recipe->images;
  }
  Json ridge = Json::array();
  for (const RidgeScore& score : sweep.ridge) {
    ridge.push_back({{"pooling", to_string(score.representation.pooling)},
                     {"transform", to_string(score.representation.transform)},
                     {"lambda", score.lambda},
                     {"leave_one_out_accuracy", score.accuracy}});
  }
  json["ridge"] = ridge;
  Json curve = Json::array();
  for (const LearningCurvePoint& point : sweep.learning_curve) {
    curve.push_back({{"images_per_class", point.rows_per_class},
                     {"training_images", point.training_rows},
                     {"accuracy", point.accuracy},
                     {"deviation", point.deviation}});
  }
  json["learning_curve"] = curve;
  Json not_tried = Json::array();
  for (const Candidate& candidate : sweep.search.not_tried) {
    not_tried.push_back({{"pooling", to_string(candidate.representation.pooling)},
                         {"transform", to_string(candidate.representation.transform)},
                         {"hidden", candidate.hidden},
                         {"rate", candidate.rate},
                         {"l2", candidate.l2}});
  }
  json["not_tried"] = not_tried;
  return json;
}

}  // namespace headstart
