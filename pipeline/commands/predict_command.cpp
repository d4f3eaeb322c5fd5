// pipeline/commands/predict_command.cpp: headstart predict: labels for new images, a part of the images at a
// time, so that memory use is bounded.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "data/dataset/discovery.hpp"
#include "data/dataset/name_list.hpp"
#include "data/error.hpp"
#include "head/insight/metrics.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "pipeline/commands/commands.hpp"
#include "pipeline/commands/explanations.hpp"
#include "pipeline/commands/prediction_text.hpp"
#include "pipeline/model/model_file.hpp"
#include "pipeline/model/model_session.hpp"
#include "pipeline/options/stage_one_description.hpp"
#include "pipeline/process/unfinished_file.hpp"
#include "pipeline/rows/stage_one.hpp"
#include "pipeline/run/output_check.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;

enum class PredictionFormat { kCsv, kJson };

[[nodiscard]] constexpr std::string_view to_string(PredictionFormat format) noexcept {
  switch (format) {
    case PredictionFormat::kCsv:
      return "csv";
    case PredictionFormat::kJson:
      return "jsonl";
  }
  return {};
}

struct PredictOptions {
  std::filesystem::path model;
  std::vector<std::string> paths;  ///< files, folders, or "-" for a list on stdin
  std::filesystem::path out;       ///< empty: stdout
  PredictionFormat format = PredictionFormat::kCsv;
  int top_k = 1;
  double threshold = 0.0;  ///< predictions with a lower probability are unknown
  std::string unknown = "unknown";
  std::filesystem::path explanations;  ///< folder for overlays; empty: none
  int views = 0;  ///< of each image; a prediction is the mean over the image and its views
  StageOneOptions stage_one;
};

void describe_predict(OptionList& list, PredictOptions& options) {
  describe_model(list, options.model);
  list.add(
      {.name = "path",
       .help = "Images, folders of images or archives; - reads a list of them from stdin, one a line",
       .positional = true,
       .required = true},
      OptionKind::kMany, {}, [&options](const std::vector<std::string>& words) { options.paths = words; },
      []() -> std::optional<ConfigValue> { return std::nullopt; });
  list({.name = "out", .help = "Write to this file instead of stdout", .value = "FILE", .letter = "o"},
       options.out);
  list({.name = "format", .help = "CSV with a header, or one JSON object a line"}, options.format);
  list({.name = "top-k",
        .help = "So many classes for each image, the most probable first",
        .low = 1,
        .high = 1e6},
       options.top_k);
  list({.name = "threshold",
        .help = "Below this probability the image is labelled 'unknown', or what --unknown says",
        .high = 1},
       options.threshold);
  list({.name = "unknown",
        .help = "The label of an image whose probability is below --threshold",
        .value = "NAME"},
       options.unknown);
  list({.name = "explain",
        .help = "Write a PNG for each image into this folder: which parts led to its class (Grad-CAM)",
        .value = "DIR"},
       options.explanations);
  describe_views(list, options.views, kPredictedViewsHelp);
  describe_engine(list, options.stage_one);
  describe_admission(list, options.stage_one.images);
}

// Images between two writes: few at first, so that the first lines come soon.
constexpr std::size_t kFirstBlock = 32;
constexpr std::size_t kLargestBlock = 1024;

std::string text_of_stdin() {
  std::string text;
  std::array<char, 1U << 16U> block{};
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), stdin))
    text.append(block.data(), count);
  if (std::ferror(stdin) != 0) {
    throw Error{Error::Kind::kFailed, "cannot read the list of images",
                fmt::format("standard input: {}", std::strerror(errno)),
                "have - read a list from a pipe or a file, one name a line"};
  }
  return text;
}

/// The images of a list. A line without an image becomes a result with a reason, because the other lines may
/// be right.
std::vector<ImageSource> listed_images(const std::string& text, std::vector<std::string>& notes) {
  std::vector<ImageSource> images;
  for (const auto& [name, line] : names_in_list(text, "standard input")) {
    std::error_code error;
    if (!fs::exists(name, error)) {
      images.push_back({.file = name, .member = {}, .problem = error ? error.message() : "does not exist"});
      continue;
    }
    std::vector<ImageSource> found = list_images({name}, &notes);
    std::move(found.begin(), found.end(), std::back_inserter(images));
  }
  return images;
}

std::vector<ImageSource> images_of(const std::vector<std::string>& arguments, Console& console) {
  std::vector<ImageSource> images;
  std::vector<std::string> notes;
  for (const std::string& argument : arguments) {
    std::vector<ImageSource> found =
        argument == "-" ? listed_images(text_of_stdin(), notes) : list_images({argument}, &notes);
    std::move(found.begin(), found.end(), std::back_inserter(images));
  }
  for (const std::string& note : notes) console.note(note);
  if (images.empty()) {
    const std::string where = arguments.size() > 1       ? fmt::format("{} paths", arguments.size())
                              : arguments.front() == "-" ? "standard input"
                                                         : printable(arguments.front());
    throw Error{Error::Kind::kData, "there is nothing to predict", where + ": names or holds no image",
                "name images, or folders and archives that hold some"};
  }
  return images;
}

/// The target of the results: stdout, or a file that appears as a whole at the end. A short write is an
/// error, never a silent loss.
class Sink {
 public:
  Sink(const fs::path& file, Console& console)
      : name_(file.empty() ? "standard output" : printable(file.string())), console_(console) {
    if (!file.empty()) file_.emplace(file);
    stream_ = file_ ? std::fopen(file_->path().c_str(), "wbe") : stdout;
    if (stream_ == nullptr) fail();
  }
  ~Sink() {
    if (!file_) return;
    std::fclose(stream_);
    if (written_ == 0 || is_done_) return;
    console_.warn(fmt::format("what was predicted so far is in {}", printable(file_->keep().string())));
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void write(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size() || std::fflush(stream_) != 0) fail();
  }
  /// Writes results; write() alone is for the header.
  void write_results(const std::string& text) {
    write(text);
    ++written_;
  }

  void publish() {
    if (!file_) return;
    file_->publish();
    is_done_ = true;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error{Error::Kind::kFailed, "cannot write predictions",
                fmt::format("{}: {}", name_, std::strerror(errno)), "name another file with -o"};
  }

  std::string name_;
  Console& console_;
  std::optional<UnfinishedFile> file_;  // empty: standard output
  std::FILE* stream_ = nullptr;
  std::size_t written_ = 0;  // writes of results
  bool is_done_ = false;
};

/// The `top_k` classes of one row by falling probability; ties keep the order of the classes.
std::vector<Prediction::Rank> best_classes(const Matrix& probabilities, Eigen::Index row, int top_k) {
  std::vector<Prediction::Rank> ranks;
  for (const std::int32_t label : most_probable_classes(probabilities, row, static_cast<std::size_t>(top_k)))
    ranks.push_back({label, probabilities(row, label)});
  return ranks;
}

/// Predicts one block of images after another.
class Predictor {
 public:
  Predictor(const Model& model, const PredictOptions& options, StageOne& stage_one, const Session& session)
      : model_(model), options_(options), stage_one_(stage_one) {
    if (!options.explanations.empty())
      explanations_.emplace(options.explanations, model, options.stage_one.images.decode, session.threads);
  }

  /// @param first  the number of the block's first image, from 1
  [[nodiscard]] std::vector<Prediction> predict(std::span<const ImageSource> block, std::size_t first,
                                                int top_k) {
    stage_one_.forget_files();
    const Extraction extraction = stage_one_.run({block.begin(), block.end()}, options_.views);
    std::vector<const ImageResult*> used;
    std::vector<Prediction> predictions(block.size());
    for (std::size_t i = 0; i < block.size(); ++i) {
      const ImageResult& image = extraction.images[i];
      predictions[i].path = name_of(block[i]);
      if (image.status == ImageStatus::kRejected)
        predictions[i].error = image.reason;
      else
        used.push_back(&image);
    }
    if (used.empty()) return predictions;
    Matrix probabilities = predict_with_views(model_, stage_one_, used);
    softmax(probabilities);
    std::vector<ToExplain> to_explain;
    Eigen::Index row = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
      Prediction& prediction = predictions[i];
      if (!prediction.error.empty()) continue;
      const Eigen::Index at = row++;
      if (!probabilities.row(at).allFinite()) {
        prediction.error = "the model's head overflows on it: its weights are damaged or huge";
        continue;
      }
      prediction.ranks = best_classes(probabilities, at, top_k);
      const Prediction::Rank& best = prediction.ranks.front();
      prediction.unknown = static_cast<double>(best.probability) < options_.threshold;
      to_explain.push_back({&block[i], extraction.images[i].content.value(), first + i, best.label});
    }
    if (explanations_) {
      const std::vector<std::string> files = explanations_->write(to_explain, stage_one_);
      for (std::size_t i = 0; i < files.size(); ++i)
        predictions[to_explain[i].number - first].explanation = files[i];
    }
    return predictions;
  }

 private:
  const Model& model_;
  const PredictOptions& options_;
  StageOne& stage_one_;
  std::optional<Explanations> explanations_;
};

/// Checks that --unknown is not a class: an image of no class must not look like an image of a class.
void check_unknown(const PredictOptions& options, const std::vector<std::string>& classes) {
  if (options.threshold <= 0.0 || std::find(classes.begin(), classes.end(), options.unknown) == classes.end())
    return;
  throw Error{Error::Kind::kUsage, "wrong usage", "--threshold",
              fmt::format("the model has a class '{}': name what stands for none with --unknown",
                          printable(options.unknown))};
}

void run_predict(const PredictOptions& options, const Session& session) {
  std::vector<fs::path> inputs{options.model, session.config_file};
  inputs.insert(inputs.end(), options.paths.begin(), options.paths.end());
  check_output("-o", options.out, inputs);
  const Model model = read_model(options.model);
  check_unknown(options, model.classes);
  const StageOneOptions stage_options = options_of(model, options.stage_one);
  StageOne stage_one(model.weights, {model.tap}, stage_options, session);
  const std::vector<ImageSource> images = images_of(options.paths, session.console);
  const PredictionColumns columns{.classes = model.classes,
                                  .top_k = std::min(options.top_k, static_cast<int>(model.classes.size())),
                                  .unknown = options.unknown,
                                  .explained = !options.explanations.empty()};
  const bool csv = options.format == PredictionFormat::kCsv;
  Predictor predictor(model, options, stage_one, session);
  Sink sink(options.out, session.console);
  if (csv) sink.write(csv_header(columns));

  stage_one.expect_parts(images.size());
  std::size_t rejected = 0;
  std::size_t size = kFirstBlock;
  for (std::size_t begin = 0; begin < images.size();
       begin += size, size = std::min(2 * size, kLargestBlock)) {
    size = std::min(size, images.size() - begin);
    std::string text;
    for (const Prediction& prediction :
         predictor.predict(std::span(images).subspan(begin, size), begin + 1, columns.top_k)) {
      if (!prediction.error.empty()) {
        ++rejected;
        session.console.warn(fmt::format("rejected {}: {}", printable(prediction.path), prediction.error));
      }
      text += csv ? csv_text(prediction, columns) : json_text(prediction, columns);
    }
    if (options.out.empty()) session.console.hide_progress();  // both may be on the same terminal
    sink.write_results(text);
  }
  sink.publish();
  session.console.progress_done();
  const ImageOptions& limits = options.stage_one.images;
  if (rejected == images.size() || limits.max_rejects.exceeded(rejected, images.size()) ||
      (limits.on_error == OnError::kFail && rejected > 0)) {
    throw Error{Error::Kind::kData, "not enough usable images",
                fmt::format("{} of {} were rejected", rejected, images.size()),
                "the reasons are in the column error"};
  }
}

}  // namespace

Command predict_command() {
  return make_command<PredictOptions>({.name = "predict", .purpose = "Label new images"}, describe_predict,
                                      run_predict);
}

}  // namespace headstart
