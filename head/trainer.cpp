// head/trainer.cpp
#include "head/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/early_stopping.hpp"
#include "head/random.hpp"
#include "head/softmax_cross_entropy.hpp"
#include "head/training_checks.hpp"
#include "head/upper_layers.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

// What derive_seed's purposes mean here. Never renumber: a seed's result would change.
constexpr std::uint64_t kShufflePurpose = 1;
constexpr std::uint64_t kDropoutPurpose = 2;
constexpr std::uint64_t kFirstLayerPurpose = 1000;  // layer l: this + l

// The rows of one epoch, in the order of its steps.
class EpochRows {
 public:
  EpochRows(const TrainingData& data, const TrainingOptions& options, int epoch)
      : order_(data.training.begin(), data.training.end()), batch_(static_cast<std::size_t>(options.batch)) {
    if (!options.shuffle) return;
    // Every epoch shuffles the given order with its own seed, so that an epoch's order needs no history.
    Random random(derive_seed(derive_seed(options.seed, kShufflePurpose), static_cast<std::uint64_t>(epoch)));
    headstart::shuffle(order_, random);
  }

  [[nodiscard]] std::size_t steps() const noexcept { return (order_.size() + batch_ - 1) / batch_; }
  [[nodiscard]] std::span<const RowIndex> batch(std::size_t step) const noexcept {
    const std::size_t first = step * batch_;
    return std::span(order_).subspan(first, std::min(batch_, order_.size() - first));
  }

 private:
  std::vector<RowIndex> order_;
  std::size_t batch_;
};

std::vector<std::int32_t> labels_of(const TrainingData& data, std::span<const RowIndex> rows) {
  std::vector<std::int32_t> labels;
  labels.reserve(rows.size());
  for (const RowIndex row : rows) labels.push_back(data.labels[static_cast<std::size_t>(row)]);
  return labels;
}

[[noreturn]] void diverged(int epoch, const std::string& where, double loss, double learning_rate) {
  std::ostringstream text;  // counted from one, as people do; shortest form of the numbers
  text << "epoch " << epoch + 1 << ", " << where << ": the loss is " << loss << " at learning rate "
       << learning_rate;
  throw std::runtime_error(text.str());
}

// One run. Invariant between steps: z_ holds X W (no bias) of the next batch, from the pass that made this W.
class Training {
 public:
  Training(const TrainingData& data, FirstLayer& first, std::span<const Dense> layers,
           const TrainingOptions& options, const TrainingHooks& hooks, const TrainingState* resume)
      : data_(data),
        options_(options),
        hooks_(hooks),
        first_(first),
        upper_(layers),
        validation_labels_(labels_of(data, data.validation)),
        rows_(data, options, resume != nullptr ? static_cast<int>(resume->history.size()) : 0) {
    if (resume != nullptr) {
      upper_.restore(resume->layers, resume->velocities);
      first_.set_state(resume->first);
    }
    z_.resize(static_cast<Eigen::Index>(rows_.batch(0).size()), layers.front().bias.size());
    first_.forward(rows_.batch(0), z_);
  }

  // One epoch; afterwards the weights' validation loss is known and z_ is ready for the next epoch.
  EpochResult run_epoch(int epoch, double learning_rate) {
    const Clock::time_point start = Clock::now();
    EpochResult result;
    result.epoch = epoch;
    result.learning_rate = learning_rate;
    const EpochRows next_rows(data_, options_, epoch + 1);
    double loss_sum = 0.0;
    std::int64_t correct = 0;
    for (std::size_t step = 0; step < rows_.steps(); ++step) {
      const std::span<const RowIndex> batch = rows_.batch(step);
      Matrix& logits = upper_.forward(z_, dropout(epoch, step));
      const BatchLoss loss = softmax_cross_entropy(logits, labels_of(data_, batch), training_loss());
      const double batch_loss = loss.loss / static_cast<double>(batch.size()) + penalty();
      if (!std::isfinite(batch_loss))
        diverged(epoch, "step " + std::to_string(step + 1), batch_loss, learning_rate);
      if (hooks_.on_step) hooks_.on_step(batch_loss);
      loss_sum += batch_loss * static_cast<double>(batch.size());
      correct += loss.correct;

      const SgdStep sgd{learning_rate, options_.momentum, options_.nesterov, options_.l2};
      const Matrix& dz = upper_.step(logits, sgd);
      const bool last = step + 1 == rows_.steps();
      const std::vector<RowIndex> next = last ? after_epoch(next_rows, epoch) : std::vector<RowIndex>{};
      const std::span<const RowIndex> next_span =
          last ? std::span<const RowIndex>(next) : rows_.batch(step + 1);
      z_.resize(static_cast<Eigen::Index>(next_span.size()), dz.cols());
      first_.step(batch, dz, sgd, next_span, z_);
    }
    const auto rows = static_cast<double>(data_.training.size());
    result.loss = loss_sum / rows;
    result.accuracy = static_cast<double>(correct) / rows;
    if (!data_.validation.empty()) validate(result);
    rows_ = next_rows;
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
  }

  [[nodiscard]] const std::vector<Dense>& upper_layers() const noexcept { return upper_.layers(); }
  [[nodiscard]] TrainingState state(std::span<const EpochResult> history, std::span<const Dense> best) {
    return {history, upper_.layers(), upper_.velocities(), best, first_.state()};
  }

 private:
  [[nodiscard]] LossOptions training_loss() const {
    return {options_.label_smoothing, options_.class_weights};
  }
  [[nodiscard]] double penalty() {
    // Without L2 the norm is not asked for: the gram solver would have to compute it.
    return options_.l2 > 0.0 ? options_.l2 * (first_.squared_norm() + upper_.squared_norm()) : 0.0;
  }
  // Every step draws from a seed of its own, so that a run can go on from any epoch.
  [[nodiscard]] Dropout dropout(int epoch, std::size_t step) const {
    const std::uint64_t seed =
        derive_seed(derive_seed(options_.seed, kDropoutPurpose), static_cast<std::uint64_t>(epoch));
    return {options_.dropout, derive_seed(seed, step)};
  }

  // What the epoch's last pass over W must also multiply: the validation rows, then the next epoch's first
  // batch.
  [[nodiscard]] std::vector<RowIndex> after_epoch(const EpochRows& next_rows, int epoch) const {
    std::vector<RowIndex> rows(data_.validation.begin(), data_.validation.end());
    if (epoch + 1 < options_.epochs) {
      const std::span<const RowIndex> batch = next_rows.batch(0);
      rows.insert(rows.end(), batch.begin(), batch.end());
    }
    return rows;
  }

  // Takes the validation rows off the top of z_.
  void validate(EpochResult& result) {
    const auto rows = static_cast<Eigen::Index>(validation_labels_.size());
    Matrix& logits = upper_.forward(z_.topRows(rows));
    if (hooks_.on_validation) hooks_.on_validation(logits);
    const BatchLoss loss = softmax_cross_entropy(logits, validation_labels_, {options_.label_smoothing, {}});
    result.val_loss = loss.loss / static_cast<double>(rows) + penalty();
    result.val_accuracy = static_cast<double>(loss.correct) / static_cast<double>(rows);
    if (!std::isfinite(*result.val_loss)) {
      diverged(result.epoch, "validation", *result.val_loss, result.learning_rate);
    }
    z_ = z_.bottomRows(z_.rows() - rows).eval();
  }

  const TrainingData& data_;
  const TrainingOptions& options_;
  const TrainingHooks& hooks_;
  FirstLayer& first_;
  UpperLayers upper_;
  std::vector<std::int32_t> validation_labels_;
  EpochRows rows_;
  Matrix z_;
};

}  // namespace

Head initial_head(std::int64_t features, int classes, const TrainingOptions& options) {
  Head head;
  Eigen::Index inputs = features;
  for (std::size_t l = 0; l <= options.hidden.size(); ++l) {
    const Eigen::Index outputs = l < options.hidden.size() ? options.hidden[l] : classes;
    Random random(derive_seed(options.seed, kFirstLayerPurpose + l));
    head.layers.push_back(glorot_uniform(inputs, outputs, random));
    inputs = outputs;
  }
  return head;
}

Solver solver_of(const TrainingData& data, const TrainingOptions& options) {
  if (options.solver != Solver::kAuto) return options.solver;
  const TrainingShape shape{.rows = static_cast<std::int64_t>(data.features.rows()),
                            .training = static_cast<std::int64_t>(data.training.size()),
                            .columns = data.features.columns,
                            .nonzeros = static_cast<std::int64_t>(data.features.values.size()),
                            .width = options.hidden.empty() ? data.classes : options.hidden.front(),
                            .batch = options.batch,
                            .epochs = options.epochs,
                            .l2 = options.l2 > 0.0};
  return choose_solver(shape, available_memory());
}

TrainingResult train_head(const TrainingData& data, Head initial, const TrainingOptions& options,
                          const TrainingHooks& hooks, const TrainingState* resume) {
  check_training(data, initial.layers, options);
  const Solver solver = solver_of(data, options);
  const std::unique_ptr<FirstLayer> first = make_first_layer(
      solver, data.features, std::move(initial.layers.front().kernel), data.training, options.threads);
  TrainingResult result = train_layers(data, *first, initial.layers, options, hooks, resume);
  result.solver = solver;
  result.head.layers.front().kernel = first->release_kernel();
  return result;
}

TrainingResult train_layers(const TrainingData& data, FirstLayer& first, std::span<const Dense> layers,
                            const TrainingOptions& options, const TrainingHooks& hooks,
                            const TrainingState* resume) {
  check_training(data, layers, options);
  if (resume != nullptr) check_resumable(*resume, options);
  Training training(data, first, layers, options, hooks, resume);
  LearningRate learning_rate(options.schedule, options.learning_rate, options.epochs);
  std::optional<EarlyStopping> stopping;
  if (options.early_stopping) stopping.emplace(*options.early_stopping);
  std::vector<Dense> best;  // of an earlier epoch, whose first kernel `first` remembers

  TrainingResult result;
  if (resume != nullptr) {
    result.history.assign(resume->history.begin(), resume->history.end());
    best.assign(resume->best.begin(), resume->best.end());
    for (const EpochResult& ended : result.history) {
      learning_rate.epoch_ended(ended.val_loss.value_or(ended.loss));
      if (stopping) static_cast<void>(stopping->improved(ended.epoch, *ended.val_loss));
    }
  }
  for (int epoch = static_cast<int>(result.history.size()); epoch < options.epochs; ++epoch) {
    result.history.push_back(training.run_epoch(epoch, learning_rate.at(epoch)));
    const EpochResult& ended = result.history.back();
    if (hooks.on_epoch) hooks.on_epoch(ended);
    learning_rate.epoch_ended(ended.val_loss.value_or(ended.loss));
    const bool last = epoch + 1 == options.epochs;
    if (stopping) {
      if (stopping->improved(epoch, *ended.val_loss) && !last) {
        best = training.upper_layers();
        first.remember();
      }
      if (stopping->should_stop()) break;
    }
    if (last) break;
    result.interrupted = hooks.stop != nullptr && hooks.stop->load();
    if (hooks.on_state) hooks.on_state(training.state(result.history, best), result.interrupted);
    if (result.interrupted) break;
  }
  const int last_epoch = result.history.back().epoch;
  result.best_epoch = stopping ? stopping->best_epoch() : last_epoch;
  if (result.best_epoch == last_epoch) {
    result.head.layers = training.upper_layers();
  } else {
    result.head.layers = std::move(best);
    first.recall();
  }
  return result;
}

double l2_penalty(const Head& head, double l2) {
  double sum = 0.0;
  for (const Dense& layer : head.layers) sum += layer.kernel.cast<double>().squaredNorm();
  return l2 * sum;
}

}  // namespace headstart
