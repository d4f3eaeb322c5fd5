// head/training/trainer.cpp
#include "head/training/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "head/divergence.hpp"
#include "head/layers/dense_solver.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/upper_layers.hpp"
#include "head/random.hpp"
#include "head/seed_purpose.hpp"
#include "head/training/early_stopping.hpp"
#include "head/training/epoch_order.hpp"
#include "head/training/read_ahead.hpp"
#include "head/training/step_dropout.hpp"
#include "head/training/training_checks.hpp"
#include "memory/flush_denormals.hpp"

namespace headstart {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostValidatedAtOnce = 4096;  // rows

OrderOptions order_options(const TrainingData& data, const TrainingOptions& options) {
  OrderOptions order{
      .batch = static_cast<std::size_t>(options.batch), .shuffle = options.shuffle, .seed = options.seed};
  if (data.source != nullptr) {
    order.window = data.source->window;
    order.chunks = data.source->chunks;
  }
  return order;
}

std::vector<std::int32_t> labels_of(const TrainingData& data, std::span<const RowIndex> rows) {
  std::vector<std::int32_t> labels;
  labels.reserve(rows.size());
  for (const RowIndex row : rows) labels.push_back(data.labels[static_cast<std::size_t>(row)]);
  return labels;
}

[[noreturn]] void diverged(int epoch, const std::string& where, double loss, double learning_rate) {
  // The message counts from one, as people do, and has the shortest form of the numbers.
  std::ostringstream text;
  text << "epoch " << epoch + 1 << ", " << where << ": the loss is " << loss << " at learning rate "
       << learning_rate;
  throw Divergence(text.str());
}

// One run. Invariant between steps: z_ holds X W (no bias) of the next batch. This product comes from the
// pass that made this W. If the batch's window was not in memory during that pass, it comes from a pass of
// its own.
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
        order_(order_of(resume != nullptr ? resume->history.size() : 0)) {
    if (resume != nullptr) {
      upper_.restore(resume->layers, resume->velocities);
      first_.set_state(resume->first);
    }
    if (data_.source != nullptr) windows_.emplace(*data_.source);
    z_.resize(0, layers.front().bias.size());
    if (windows_) {
      enter_window(order_, 0, nullptr);
    } else {
      multiply_first(order_, 0);
    }
  }

  // One epoch. Afterwards the validation loss of the weights is known, and z_ is ready for the next epoch.
  EpochResult run_epoch(int epoch, double learning_rate) {
    const Clock::time_point start = Clock::now();
    EpochResult result;
    result.epoch = epoch;
    result.learning_rate = learning_rate;
    const EpochOrder next_order = order_of(static_cast<std::uint64_t>(epoch) + 1);
    const EpochOrder* const following = epoch + 1 < options_.epochs ? &next_order : nullptr;
    double loss_sum = 0.0;
    std::int64_t correct = 0;
    for (std::size_t step = 0; step < order_.steps(); ++step) {
      hooks_.cancellation.check();
      const std::span<const RowIndex> batch = order_.batch(step);
      Matrix& logits = upper_.forward(z_, step_dropout(options_, epoch, step));
      const BatchLoss loss = softmax_cross_entropy(logits, labels_of(data_, batch), training_loss());
      const double batch_loss = loss.loss / static_cast<double>(batch.size()) + penalty();
      if (!std::isfinite(batch_loss))
        diverged(epoch, "step " + std::to_string(step + 1), batch_loss, learning_rate);
      if (hooks_.on_step) hooks_.on_step(batch_loss);
      loss_sum += batch_loss * static_cast<double>(batch.size());
      correct += loss.correct;

      const Matrix& dz = upper_.backward(logits);
      const SgdStep sgd = sgd_step(batch_in_memory(step), dz, learning_rate * warmed_up(epoch, step));
      upper_.step(sgd);
      const std::vector<RowIndex> planned = planned_next(step, following);
      const std::size_t next_batch = std::min(planned.size(), static_cast<std::size_t>(options_.batch));
      const std::vector<RowIndex> next = multiplied_next(step, std::span(planned).first(next_batch));
      z_.resize(static_cast<Eigen::Index>(next.size()), dz.cols());
      first_.step(batch_in_memory(step), dz, sgd, next, z_, {planned, next_batch});
      if (windows_ && next.empty() && step + 1 < order_.steps())
        enter_window(order_, order_.window_of(step + 1), following);
    }
    const auto rows = static_cast<double>(data_.training.size());
    result.loss = loss_sum / rows;
    result.accuracy = static_cast<double>(correct) / rows;
    if (!data_.validation.empty()) validate(result, following);
    order_ = next_order;
    if (windows_ && following != nullptr) enter_window(order_, 0, nullptr);
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
  }

  [[nodiscard]] const std::vector<Dense>& upper_layers() const noexcept { return upper_.layers(); }
  [[nodiscard]] TrainingState state(std::span<const EpochResult> history, std::span<const Dense> best) {
    return {history, upper_.layers(), upper_.velocities(), best, first_.state()};
  }

 private:
  [[nodiscard]] EpochOrder order_of(std::uint64_t epoch) const {
    return EpochOrder(data_.training, order_options(data_, options_), epoch);
  }
  [[nodiscard]] LossOptions training_loss() const {
    return {options_.label_smoothing, options_.class_weights};
  }
  [[nodiscard]] double penalty() { return first_.penalty(options_.l2) + options_.l2 * upper_.squared_norm(); }
  // The factor of the learning rate in a step.
  [[nodiscard]] double warmed_up(int epoch, std::size_t step) const {
    const double steps = options_.warm_up * static_cast<double>(order_.steps());
    const double done =
        static_cast<double>(epoch) * static_cast<double>(order_.steps()) + static_cast<double>(step + 1);
    return done < steps ? done / steps : 1.0;
  }
  // The step along the gradients of upper_ and of the first layer, which are clipped here.
  [[nodiscard]] SgdStep sgd_step(std::span<const RowIndex> batch, const Matrix& dz, double learning_rate) {
    SgdStep sgd{learning_rate, options_.momentum, options_.nesterov, options_.l2};
    if (!options_.clip_norm) return sgd;
    const double norm =
        std::sqrt(upper_.gradient_squared_norm(sgd.l2) + first_.gradient_squared_norm(batch, dz, sgd.l2));
    if (norm <= *options_.clip_norm) return sgd;
    sgd.gradient_scale = *options_.clip_norm / norm;
    sgd.l2 *= sgd.gradient_scale;
    upper_.scale_gradients(sgd.gradient_scale);
    return sgd;
  }
  void multiply(std::span<const RowIndex> rows, const Plan& plan = {}) {
    z_.resize(static_cast<Eigen::Index>(rows.size()), z_.cols());
    first_.forward(rows, z_, plan);
  }
  // Multiplies the batch of `step`; the plan has the batches that follow it.
  void multiply_first(const EpochOrder& order, std::size_t step) {
    const std::vector<RowIndex> planned = in_memory(order, step, kMostPlannedRows);
    const std::size_t batch = order.batch(step).size();
    multiply(std::span(planned).first(batch), {planned, batch});
  }

  // A step's rows as the first layer numbers them, and the rows of further steps in the same window. The
  // result has as many whole batches as fit into `most` rows.
  [[nodiscard]] std::vector<RowIndex> in_memory(const EpochOrder& order, std::size_t step,
                                                std::size_t most) const {
    const std::span<const RowIndex> planned = order.batches(step, most);
    std::vector<RowIndex> rows(planned.begin(), planned.end());
    // A window's rows are read in the order in which they are used.
    if (windows_) std::iota(rows.begin(), rows.end(), static_cast<RowIndex>(order.first_in_window(step)));
    return rows;
  }

  [[nodiscard]] std::vector<RowIndex> batch_in_memory(std::size_t step) const {
    return in_memory(order_, step, 1);
  }

  // The rows of the steps after this one, the next batch first, as far as they are in memory.
  [[nodiscard]] std::vector<RowIndex> planned_next(std::size_t step, const EpochOrder* next_order) const {
    if (step + 1 < order_.steps()) {
      if (windows_ && order_.first_in_window(step + 1) == 0) return {};
      return in_memory(order_, step + 1, kMostPlannedRows);
    }
    if (windows_ || next_order == nullptr) return {};
    return in_memory(*next_order, 0, kMostPlannedRows);
  }

  // Whether the validation rows go with the pass of an epoch's last step. Many have passes of their own, as
  // the activations of all would take 8 bytes for each unit.
  [[nodiscard]] bool validates_with_last_step() const {
    return !windows_ && data_.validation.size() <= kMostValidatedAtOnce;
  }

  // The rows that a step must also multiply: the next batch and, after an epoch's last step, first the
  // validation rows. With windows, only rows in memory: perhaps none.
  [[nodiscard]] std::vector<RowIndex> multiplied_next(std::size_t step,
                                                      std::span<const RowIndex> batch) const {
    std::vector<RowIndex> rows;
    if (step + 1 == order_.steps() && validates_with_last_step())
      rows.assign(data_.validation.begin(), data_.validation.end());
    rows.insert(rows.end(), batch.begin(), batch.end());
    return rows;
  }

  // ---- windows: first those of an epoch, then those of the validation rows, then those of the next epoch

  [[nodiscard]] std::span<const RowIndex> validation_window(std::size_t first) const {
    return data_.validation.subspan(first, std::min(data_.source->window, data_.validation.size() - first));
  }

  // Brings a window of training rows into memory, and multiplies its first batch.
  void enter_window(const EpochOrder& order, std::size_t window, const EpochOrder* next_order) {
    std::span<const RowIndex> then;
    if (window + 1 < order.windows()) {
      then = order.window(window + 1);
    } else if (!data_.validation.empty()) {
      then = validation_window(0);
    } else if (next_order != nullptr) {
      then = next_order->window(0);
    }
    first_.use_rows(windows_->next(order.window(window), then));
    multiply_first(order, order.first_step(window));
  }

  [[nodiscard]] Matrix validation_logits(const EpochOrder* next_order) {
    Matrix logits;
    for (std::size_t first = 0; first < data_.validation.size();) {
      const std::span<const RowIndex> window = validation_window(first);
      const std::size_t end = first + window.size();
      std::span<const RowIndex> then;
      if (end < data_.validation.size()) {
        then = validation_window(end);
      } else if (next_order != nullptr) {
        then = next_order->window(0);
      }
      first_.use_rows(windows_->next(window, then));
      std::vector<RowIndex> rows(window.size());
      std::iota(rows.begin(), rows.end(), 0);
      multiply(rows);
      const Matrix& of_window = upper_.forward(z_);
      if (first == 0) logits.resize(static_cast<Eigen::Index>(data_.validation.size()), of_window.cols());
      logits.middleRows(static_cast<Eigen::Index>(first), of_window.rows()) = of_window;
      first = end;
    }
    return logits;
  }

  [[nodiscard]] Matrix validation_logits_in_parts() {
    const std::vector<Dense>& layers = upper_.layers();
    Matrix logits(static_cast<Eigen::Index>(data_.validation.size()), layers.back().bias.size());
    Matrix z;
    for (std::size_t first = 0; first < data_.validation.size(); first += kMostValidatedAtOnce) {
      const std::span<const RowIndex> part =
          data_.validation.subspan(first, std::min(kMostValidatedAtOnce, data_.validation.size() - first));
      const auto size = static_cast<Eigen::Index>(part.size());
      z.resize(size, z_.cols());
      first_.forward(part, z);
      logits.middleRows(static_cast<Eigen::Index>(first), size) = upper_.forward(z);
    }
    return logits;
  }

  // The logits of the validation rows. If they went with the last step, their products are the top of z_.
  [[nodiscard]] Matrix take_validation_logits(const EpochOrder* next_order) {
    if (windows_) return validation_logits(next_order);
    if (!validates_with_last_step()) return validation_logits_in_parts();
    const auto rows = static_cast<Eigen::Index>(data_.validation.size());
    Matrix logits = upper_.forward(z_.topRows(rows));
    z_ = z_.bottomRows(z_.rows() - rows).eval();
    return logits;
  }

  void validate(EpochResult& result, const EpochOrder* next_order) {
    const auto rows = static_cast<Eigen::Index>(validation_labels_.size());
    Matrix logits = take_validation_logits(next_order);
    if (hooks_.on_validation) hooks_.on_validation(logits);
    const BatchLoss loss = softmax_cross_entropy(logits, validation_labels_, {options_.label_smoothing, {}});
    result.val_loss = loss.loss / static_cast<double>(rows) + penalty();
    result.val_accuracy = static_cast<double>(loss.correct) / static_cast<double>(rows);
    if (!std::isfinite(*result.val_loss)) {
      diverged(result.epoch, "validation", *result.val_loss, result.learning_rate);
    }
  }

  const TrainingData& data_;
  const TrainingOptions& options_;
  const TrainingHooks& hooks_;
  FirstLayer& first_;
  UpperLayers upper_;
  std::vector<std::int32_t> validation_labels_;
  EpochOrder order_;
  std::optional<ReadAhead> windows_;  // empty if all rows are in memory
  Matrix z_;
};

EarlyStopping early_stopping_of(const TrainingOptions& options) {
  if (!options.to_beat) return EarlyStopping(*options.early_stopping);
  return {*options.early_stopping, options.to_beat->loss};
}

// The loss of an epoch as early stopping gets it.
double watched_loss(const EpochResult& ended, const TrainingOptions& options) {
  const bool worse = options.to_beat && *ended.val_accuracy < options.to_beat->accuracy;
  return worse ? std::numeric_limits<double>::infinity() : *ended.val_loss;
}

}  // namespace

Head initial_head(std::int64_t features, int classes, const TrainingOptions& options) {
  Head head;
  Eigen::Index inputs = features;
  for (std::size_t l = 0; l <= options.hidden.size(); ++l) {
    const Eigen::Index outputs = l < options.hidden.size() ? options.hidden[l] : classes;
    Random random(derive_seed(options.seed, SeedPurpose::kFirstLayer, l));
    head.layers.push_back(glorot_uniform(inputs, outputs, random));
    inputs = outputs;
  }
  return head;
}

Solver solver_of(const TrainingData& data, const TrainingOptions& options) {
  if (options.solver != Solver::kAuto) return options.solver;
  if (data.source != nullptr || options.processes != nullptr) return Solver::kPrimal;
  const auto rows = static_cast<std::int64_t>(data.rows());
  const TrainingShape shape{.rows = rows,
                            .training = static_cast<std::int64_t>(data.training.size()),
                            .columns = data.columns(),
                            .nonzeros = data.dense != nullptr
                                            ? rows * data.columns()
                                            : static_cast<std::int64_t>(data.features.values.size()),
                            .width = options.hidden.empty() ? data.classes : options.hidden.front(),
                            .batch = options.batch,
                            .epochs = options.epochs,
                            .l2 = options.l2 > 0.0,
                            .dense = data.dense != nullptr};
  return choose_solver(shape, available_memory());
}

TrainingResult train_head(const TrainingData& data, Head initial, const TrainingOptions& options,
                          const TrainingHooks& hooks, const TrainingState* resume) {
  check_training(data, initial.layers, options);
  const Solver solver = solver_of(data, options);
  Matrix kernel = std::move(initial.layers.front().kernel);
  SparseRows converted;  // of dense rows, for the solvers that take sparse ones
  std::unique_ptr<FirstLayer> first;
  if (data.dense != nullptr && solver == Solver::kPrimal) {
    // Processes do not share W out: dense rows have few columns, and exchanging the products would take
    // longer.
    first = std::make_unique<DenseSolver>(*data.dense, kernel, options.threads);
  } else {
    SparseRowsView features = data.features;
    features.columns = data.columns();
    if (data.dense != nullptr) {
      std::vector<RowIndex> every(data.dense->count());
      std::iota(every.begin(), every.end(), 0);
      converted = sparse_rows_of(*data.dense, every);
      features = converted.view();
    }
    first = make_first_layer(solver, features, std::move(kernel), data.training, options.threads,
                             options.processes);
  }
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
  const FlushDenormals flush;  // in the upper layers, on this thread
  Training training(data, first, layers, options, hooks, resume);
  LearningRate learning_rate(options.schedule, options.learning_rate, options.epochs);
  std::optional<EarlyStopping> stopping;
  if (options.early_stopping) stopping = early_stopping_of(options);
  std::vector<Dense> best;  // of an earlier epoch, whose first kernel `first` remembers
  if (stopping && options.to_beat && resume == nullptr) {
    best = training.upper_layers();
    first.remember();
  }

  TrainingResult result;
  if (resume != nullptr) {
    result.history.assign(resume->history.begin(), resume->history.end());
    best.assign(resume->best.begin(), resume->best.end());
    for (const EpochResult& ended : result.history) {
      learning_rate.epoch_ended(ended.val_loss.value_or(ended.loss));
      if (stopping) static_cast<void>(stopping->improved(ended.epoch, watched_loss(ended, options)));
    }
  }
  for (int epoch = static_cast<int>(result.history.size()); epoch < options.epochs; ++epoch) {
    result.history.push_back(training.run_epoch(epoch, learning_rate.at(epoch)));
    const EpochResult& ended = result.history.back();
    if (hooks.on_epoch) hooks.on_epoch(ended);
    learning_rate.epoch_ended(ended.val_loss.value_or(ended.loss));
    const bool last = epoch + 1 == options.epochs;
    if (stopping) {
      if (stopping->improved(epoch, watched_loss(ended, options)) && !last) {
        best = training.upper_layers();
        first.remember();
      }
      if (stopping->should_stop()) break;
    }
    if (last) break;
    result.interrupted = any_process(options.processes, hooks.stop != nullptr && hooks.stop->load());
    // All processes or none: a state may be gathered from all processes.
    const bool wanted = hooks.on_state && (!hooks.wants_state || hooks.wants_state(result.interrupted));
    if (any_process(options.processes, wanted)) {
      const TrainingState state = training.state(result.history, best);
      if (hooks.on_state) hooks.on_state(state);
    }
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

double initial_l2_penalty(std::int64_t features, int classes, const TrainingOptions& options) {
  double sum = 0.0;
  auto inputs = static_cast<double>(features);
  for (std::size_t l = 0; l <= options.hidden.size(); ++l) {
    const double outputs = l < options.hidden.size() ? options.hidden[l] : classes;
    sum += inputs * outputs * 2.0 / (inputs + outputs);
    inputs = outputs;
  }
  return options.l2 * sum;
}

}  // namespace headstart
