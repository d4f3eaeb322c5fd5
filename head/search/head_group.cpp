// head/search/head_group.cpp
#include "head/search/head_group.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "head/layers/dense_weights.hpp"
#include "head/layers/first_layer_checks.hpp"
#include "head/layers/softmax_cross_entropy.hpp"
#include "head/layers/upper_layers.hpp"
#include "head/training/epoch_order.hpp"
#include "head/training/step_dropout.hpp"
#include "head/training/trainer.hpp"
#include "memory/aligned_floats.hpp"
#include "memory/flush_denormals.hpp"

namespace headstart {
namespace {

constexpr std::size_t kMeasuredAtOnce = 96;

void check_heads(std::span<const TrainingOptions> heads) {
  const auto alike = [&](const TrainingOptions& head) {
    const TrainingOptions& first = heads.front();
    return head.batch == first.batch && head.epochs == first.epochs && head.seed == first.seed &&
           head.shuffle == first.shuffle;
  };
  if (heads.empty() || !std::all_of(heads.begin(), heads.end(), alike))
    throw std::invalid_argument("head group: needed heads that see the same batches");
}

// One head in training; z holds X W of the batch that is due.
struct Member {
  Member(const TrainingOptions& its_options, const Head& initial)
      : options(its_options), weights(initial.layers.front().kernel), upper(initial.layers) {}

  void multiply(const GatheredRows& rows) {
    z.resize(static_cast<Eigen::Index>(rows.rows), weights.outputs());
    for (std::size_t slab = 0; slab < weights.slabs(); ++slab) weights.forward(slab, rows, z);
  }

  const TrainingOptions& options;
  DenseWeights weights;
  UpperLayers upper;
  Matrix z;
  FoldCurve curve;
};

class Group {
 public:
  Group(const AffineRows& rows, std::span<const std::int32_t> labels, int classes, const Fold& fold,
        std::span<const TrainingOptions> heads, const Cancellation& cancellation)
      : rows_(rows), labels_(labels), classes_(classes), fold_(fold), cancellation_(cancellation) {
    for (const TrainingOptions& head : heads) {
      members_.emplace_back(head, initial_head(rows.columns(), classes, head));
    }
  }

  void train_epoch(int epoch) {
    const TrainingOptions& options = members_.front().options;
    const EpochOrder order(
        fold_.training,
        {.batch = static_cast<std::size_t>(options.batch), .shuffle = options.shuffle, .seed = options.seed},
        static_cast<std::uint64_t>(epoch));
    GatheredRows batch = gather(order.batch(0), now_);
    for (Member& member : members_) {
      if (!member.curve.diverged) member.multiply(batch);
    }
    for (std::size_t step = 0; step < order.steps(); ++step) {
      cancellation_.check();
      const std::vector<std::int32_t> labels = labels_of(order.batch(step));
      GatheredRows next;
      if (step + 1 < order.steps()) next = gather(order.batch(step + 1), next_);
      for (Member& member : members_) {
        if (!member.curve.diverged) make_step(member, epoch, step, batch, labels, next);
      }
      std::swap(now_, next_);
      batch = next;
    }
  }

  void measure(bool keep_logits) {
    std::vector<double> losses(members_.size(), 0.0);
    std::vector<std::int64_t> correct(members_.size(), 0);
    for (std::size_t first = 0; first < fold_.measured.size(); first += kMeasuredAtOnce) {
      cancellation_.check();
      const std::span<const RowIndex> part =
          std::span(fold_.measured).subspan(first, std::min(kMeasuredAtOnce, fold_.measured.size() - first));
      const std::vector<std::int32_t> labels = labels_of(part);
      const GatheredRows gathered = gather(part, now_);
      for (std::size_t m = 0; m < members_.size(); ++m) {
        Member& member = members_[m];
        if (member.curve.diverged) continue;
        member.multiply(gathered);
        Matrix& logits = member.upper.forward(member.z);
        if (keep_logits) {
          member.curve.last_logits.resize(static_cast<Eigen::Index>(fold_.measured.size()), classes_);
          member.curve.last_logits.middleRows(static_cast<Eigen::Index>(first), logits.rows()) = logits;
        }
        const BatchLoss loss = softmax_cross_entropy(logits, labels, {});
        losses[m] += loss.loss;
        correct[m] += loss.correct;
      }
    }
    for (std::size_t m = 0; m < members_.size(); ++m) {
      FoldCurve& curve = members_[m].curve;
      if (curve.diverged) continue;
      if (!std::isfinite(losses[m] + penalty(members_[m]))) {
        curve.diverged = true;
        continue;
      }
      curve.cross_entropy.push_back(losses[m]);
      curve.correct.push_back(correct[m]);
    }
  }

  std::vector<FoldCurve> curves() {
    std::vector<FoldCurve> curves;
    for (Member& member : members_) curves.push_back(std::move(member.curve));
    return curves;
  }

 private:
  GatheredRows gather(std::span<const RowIndex> which, AlignedFloats& x) const {
    const std::size_t floats = which.size() * gathered_stride(rows_.columns());
    if (x.span().size() < floats) x = AlignedFloats(floats);
    routines_.gather(rows_, which, x.span().data());
    return {x.span().data(), which.size()};
  }

  [[nodiscard]] std::vector<std::int32_t> labels_of(std::span<const RowIndex> rows) const {
    std::vector<std::int32_t> labels;
    labels.reserve(rows.size());
    for (const RowIndex row : rows) labels.push_back(labels_[static_cast<std::size_t>(row)]);
    return labels;
  }

  static double penalty(const Member& member) {
    return member.options.l2 * (member.weights.squared_norm() + member.upper.squared_norm());
  }

  static void make_step(Member& member, int epoch, std::size_t step, const GatheredRows& batch,
                        std::span<const std::int32_t> labels, const GatheredRows& next) {
    const TrainingOptions& options = member.options;
    Matrix& logits = member.upper.forward(member.z, step_dropout(options, epoch, step));
    const BatchLoss loss =
        softmax_cross_entropy(logits, labels, {options.label_smoothing, options.class_weights});
    if (!std::isfinite(loss.loss + penalty(member))) {
      member.curve.diverged = true;
      return;
    }
    const Matrix& dz = member.upper.backward(logits);
    const SgdStep sgd{options.learning_rate, options.momentum, options.nesterov, options.l2};
    member.upper.step(sgd);
    member.z.resize(static_cast<Eigen::Index>(next.rows), member.weights.outputs());
    for (std::size_t slab = 0; slab < member.weights.slabs(); ++slab) {
      member.weights.step(slab, batch, dz, sgd);
      if (next.rows > 0) member.weights.forward(slab, next, member.z);
    }
  }

  const AffineRows& rows_;
  std::span<const std::int32_t> labels_;
  int classes_;
  const Fold& fold_;
  const Cancellation& cancellation_;
  DenseRoutines routines_ = best_dense_routines();
  std::vector<Member> members_;
  AlignedFloats now_;   // the batch whose step is due
  AlignedFloats next_;  // the batch after it
};

}  // namespace

std::vector<FoldCurve> train_together(const AffineRows& rows, std::span<const std::int32_t> labels,
                                      int classes, const Fold& fold, std::span<const TrainingOptions> heads,
                                      bool keep_logits, const Cancellation& cancellation) {
  check_heads(heads);
  check_rows(fold.training, rows.count());
  check_rows(fold.measured, rows.count());
  const FlushDenormals flush;
  Group group(rows, labels, classes, fold, heads, cancellation);
  for (int epoch = 0; epoch < heads.front().epochs; ++epoch) {
    group.train_epoch(epoch);
    group.measure(keep_logits && epoch + 1 == heads.front().epochs);
  }
  return group.curves();
}

}  // namespace headstart
