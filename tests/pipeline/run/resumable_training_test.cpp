// tests/pipeline/run/resumable_training_test.cpp: what two runs must share, and what ends one keeps its
// meaning; tests/pipeline/commands/resume_test.cpp resumes some.
#include "pipeline/run/resumable_training.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "data/error.hpp"
#include "features/cache/cache.hpp"
#include "head/divergence.hpp"
#include "pipeline/process/interrupt.hpp"
#include "pipeline/process/write_file.hpp"
#include "pipeline/run/output_folder.hpp"
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

TEST(ResumableTraining, AnIdentityHasEveryOptionThatIsNotKnownToBeHarmless) {
  Config config{"train", "", {}};
  config.set("threads", std::int64_t{2});
  config.set("out", std::string("here"));
  config.set("seed", std::int64_t{4});
  config.set("new-one", std::string("a=b"));
  const RunIdentity identity = identity_of({{"rows", "x"}}, config);
  EXPECT_EQ(identity, (RunIdentity{{"seed", "4"}, {"new-one", "\"a=b\""}, {"rows", "x"}}));
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
