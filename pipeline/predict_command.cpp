// pipeline/predict_command.cpp: headstart predict: labels for new images, streamed in blocks so that memory
// stays bounded.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>

#include "data/csv.hpp"
#include "data/discovery.hpp"
#include "data/error.hpp"
#include "head/softmax_cross_entropy.hpp"
#include "pipeline/commands.hpp"
#include "pipeline/model_file.hpp"
#include "pipeline/model_session.hpp"
#include "pipeline/stage_one.hpp"

namespace headstart {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kBlock = 1024;  // images between two writes

std::vector<fs::path> paths_of(const std::vector<std::string>& arguments) {
  std::vector<fs::path> paths;
  for (const std::string& argument : arguments) {
    if (argument != "-") {
      paths.emplace_back(argument);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) {
      if (!line.empty()) paths.emplace_back(line);
    }
  }
  return paths;
}

/// Where results go: stdout or a file. A short write is an error, never a silent loss.
class Sink {
 public:
  explicit Sink(const fs::path& file)
      : name_(file.empty() ? "standard output" : printable(file.string())),
        stream_(file.empty() ? stdout : std::fopen(file.c_str(), "wbe")) {
    if (stream_ == nullptr) fail();
  }
  ~Sink() {
    if (stream_ != nullptr && stream_ != stdout) std::fclose(stream_);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  void write(const std::string& text) {
    if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size() || std::fflush(stream_) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error{Error::Kind::kFailed, "cannot write predictions",
                fmt::format("{}: {}", name_, std::strerror(errno)), "name another file with -o"};
  }

  std::string name_;
  std::FILE* stream_;
};

std::string header(int top_k) {
  std::vector<std::string> fields{"path", "predicted", "probability"};
  for (int k = 2; k <= top_k; ++k) {
    fields.push_back(fmt::format("predicted_{}", k));
    fields.push_back(fmt::format("probability_{}", k));
  }
  fields.emplace_back("error");
  return csv_line(fields);
}

/// Classes of one row by falling probability, the first `top_k`; ties keep the order of the classes.
std::vector<Eigen::Index> best_classes(const Matrix& probabilities, Eigen::Index row, int top_k) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(probabilities.cols()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) {
    return probabilities(row, a) > probabilities(row, b);
  });
  order.resize(static_cast<std::size_t>(top_k));
  return order;
}

std::string csv_prediction(const std::string& path, const Matrix& probabilities, Eigen::Index row,
                           const std::vector<std::string>& classes, int top_k) {
  std::vector<std::string> fields{path};
  for (const Eigen::Index c : best_classes(probabilities, row, top_k)) {
    fields.push_back(classes[static_cast<std::size_t>(c)]);
    fields.push_back(fmt::format("{}", probabilities(row, c)));
  }
  fields.emplace_back();
  return csv_line(fields);
}

std::string csv_reject(const std::string& path, const std::string& reason, int top_k) {
  std::vector<std::string> fields{path};
  fields.resize(1 + 2 * static_cast<std::size_t>(top_k));
  fields.push_back(reason);
  return csv_line(fields);
}

std::string json_line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string json_prediction(const std::string& path, const Matrix& probabilities, Eigen::Index row,
                            const std::vector<std::string>& classes, int top_k) {
  Json predictions = Json::array();
  for (const Eigen::Index c : best_classes(probabilities, row, top_k)) {
    predictions.push_back(
        {{"class", classes[static_cast<std::size_t>(c)]}, {"probability", probabilities(row, c)}});
  }
  return json_line({{"path", path}, {"predictions", predictions}});
}

}  // namespace

void run_predict(const PredictOptions& options, const Session& session) {
  const Model model = read_model(options.model);
  const StageOneOptions stage_options = options_of(model, options.stage_one);
  StageOne stage_one(model.weights, {model.tap}, stage_options, session);
  const std::vector<ImageSource> files = list_images(paths_of(options.paths));
  const int top_k = std::min(options.top_k, static_cast<int>(model.classes.size()));
  const bool csv = options.format == PredictionFormat::kCsv;
  Sink sink(options.out);
  if (csv) sink.write(header(top_k));

  std::size_t rejected = 0;
  for (std::size_t begin = 0; begin < files.size(); begin += kBlock) {
    const std::span<const ImageSource> block(files.data() + begin, std::min(kBlock, files.size() - begin));
    stage_one.forget_files();
    const Extraction extraction = stage_one.run({block.begin(), block.end()}, options.views);
    std::vector<const ImageResult*> used;
    for (const ImageResult& image : extraction.images) {
      if (image.status != ImageStatus::kRejected) used.push_back(&image);
    }
    Matrix probabilities = used.empty() ? Matrix() : predict_with_views(model, stage_one, used);
    if (!used.empty()) softmax(probabilities);
    std::string text;
    Eigen::Index row = 0;
    for (std::size_t i = 0; i < block.size(); ++i) {
      const ImageResult& image = extraction.images[i];
      const std::string path = name_of(block[i]);
      if (image.status == ImageStatus::kRejected) {
        ++rejected;
        session.console.warn(fmt::format("rejected {}: {}", printable(path), image.reason));
        text += csv ? csv_reject(path, image.reason, top_k)
                    : json_line({{"path", path}, {"error", image.reason}});
      } else {
        text += csv ? csv_prediction(path, probabilities, row, model.classes, top_k)
                    : json_prediction(path, probabilities, row, model.classes, top_k);
        ++row;
      }
    }
    sink.write(text);
  }
  const ImageOptions& limits = options.stage_one.images;
  if (files.empty() || rejected == files.size() || limits.max_rejects.exceeded(rejected, files.size()) ||
      (limits.on_error == OnError::kFail && rejected > 0)) {
    throw Error{Error::Kind::kData, "not enough usable images",
                fmt::format("{} of {} were rejected", rejected, files.size()),
                "the reasons are in the column error"};
  }
}

}  // namespace headstart
