// tests/pipeline/run/resumable_training_test.cpp: what two runs must share, and what ends one keeps its
// meaning; tests/pipeline/commands/resume_test.cpp resumes some.
#include "pipeline/run/resumable_training.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "data/error.hpp"
#include "features/cache/cache.hpp"
#include "head/divergence.hpp"
#include "pipeline/options/option.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/run/output_folder.hpp"
#include "pipeline/run/run_config.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::read_text;
using test::ScratchFolder;

/// A training in which `fail` is all that happens.
void train_failing(const std::function<void()>& fail) {
  const ScratchFolder scratch;
  OutputFolder out(scratch / "out");
  Console console(Verbosity::kSilent);
  const ResumableRun run{.epochs = 3, .train = [&](Solver, const TrainingHooks&, const TrainingState*) {
                           fail();
                           return TrainingResult{};
                         }};
  static_cast<void>(train_resumably(run, {}, out, Session{console, 1}));
}

TEST(ResumableTraining, OnlyADivergenceIsToldAsOne) {
  try {
    train_failing([] { throw Divergence("epoch 2, step 1: the loss is nan"); });
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "training diverged: epoch 2, step 1: the loss is nan: lower --learning-rate");
    EXPECT_EQ(exit_code(error.kind()), 1);
  }
}

TEST(ResumableTraining, ErrorsKeepTheirTextAndExitCode) {
  for (const Error::Kind kind : {Error::Kind::kFailed, Error::Kind::kUsage, Error::Kind::kData}) {
    const Error made(kind, "rows are gone", "segment 7", "mend the disk");
    try {
      train_failing([&] { throw made; });
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), made.what());
      EXPECT_EQ(exit_code(error.kind()), exit_code(kind));
    }
  }
}

TEST(ResumableTraining, OtherFailuresStayWhatTheyAre) {
  EXPECT_THROW(train_failing([] {
                 throw RowsLost{Error::Kind::kFailed, "rows are gone", "segment 7", "mend the disk"};
               }),
               RowsLost);
  EXPECT_THROW(train_failing([] { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_THROW(train_failing([] { throw Interrupted("interrupted"); }), Interrupted);
  EXPECT_THROW(train_failing([] { throw std::system_error(ENOSPC, std::generic_category()); }),
               std::system_error);
  try {
    train_failing([] { throw std::runtime_error("MPI_Bcast failed"); });
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "MPI_Bcast failed");
  }
}

std::set<std::string> names_in(const RunIdentity& identity) {
  std::set<std::string> names;
  for (const auto& [name, value] : identity) names.insert(name);
  return names;
}

TEST(ResumableTraining, AnIdentityHasEveryOptionThatIsNotDescribedAsHarmless) {
  TrainOptions options;
  options.dataset = "images";
  options.training.seed = 4;
  options.stage_one.batch_size = 3;
  const RunIdentity identity = identity_of({{"rows", "x"}}, options);
  const auto value_of_name = [&](const std::string& name) {
    return std::find_if(identity.begin(), identity.end(),
                        [&](const auto& entry) { return entry.first == name; })
        ->second;
  };
  EXPECT_EQ(value_of_name("seed"), "4");
  EXPECT_EQ(value_of_name("transform"), "\"none\"");
  EXPECT_EQ(identity.back(), (std::pair<std::string, std::string>{"rows", "x"}));
}

// The names in checkpoints of 0.1.0: each of them still counts, and nothing else does without a value.
TEST(ResumableTraining, AnIdentityHasTheNamesOf010) {
  EXPECT_EQ(names_in(identity_of({}, TrainOptions{})),
            (std::set<std::string>{
                "alpha",          "auto",       "batch",           "class-weight",  "dropout",
                "early-stopping", "epochs",     "hidden",          "ignore-exif",   "input-size",
                "interpolation",  "l2",         "label-smoothing", "learning-rate", "momentum",
                "nesterov",       "pooling",    "rehash",          "resize",        "schedule",
                "seed",           "splits",     "storage",         "tap",           "temperature",
                "transform",      "validation", "views",           "window"}));
}

TEST(ResumableTraining, AnOptionThatACheckpointLacksWasAtItsDefault) {
  const RunIdentity presets = identity_of({}, TrainOptions{});
  TrainOptions options;
  options.training.seed = 4;
  const RunIdentity ours = identity_of({}, options);
  EXPECT_EQ(difference({{"seed", "4"}}, ours, presets), std::nullopt);
  options.window = 100;
  EXPECT_EQ(difference({{"seed", "4"}}, identity_of({}, options), presets), "window is 0 there, 100 here");
  EXPECT_EQ(difference({{"seed", "4"}, {"batch", "32"}}, ours, presets), std::nullopt);
  EXPECT_EQ(difference({{"seed", "4"}, {"batch", "16"}}, ours, presets), "batch is 16 there, 32 here");
}

TEST(ResumableTraining, ARateIsTheLearningRateThatItGives) {
  TrainOptions options;
  options.training.learning_rate = 0.25;
  const RunIdentity without = identity_of({}, options);
  options.rate = 1.0;
  EXPECT_EQ(identity_of({}, options), without);
}

TEST(ResumableTraining, AFileIsPublishedBesideTheFolder) {
  const ScratchFolder scratch;
  OutputFolder out(scratch / "out/");
  EXPECT_EQ(out.beside("checkpoint"), scratch / "out.checkpoint");
  for (const char* text : {"one", "two"}) {
    write_file(out.staging() / "checkpoint", std::string_view(text));
    out.publish_beside("checkpoint");
    EXPECT_EQ(read_text((scratch / "out.checkpoint").string()), text);
    EXPECT_FALSE(std::filesystem::exists(out.staging() / "checkpoint"));
  }
  EXPECT_THROW(out.publish_beside("nothing"), Error);
}

}  // namespace
}  // namespace headstart
