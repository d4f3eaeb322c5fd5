// tests/pipeline/resumable_training_test.cpp: what two runs must share; tests/pipeline/resume_test.cpp
// resumes some.
#include "pipeline/resumable_training.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string_view>

#include "data/error.hpp"
#include "pipeline/output_folder.hpp"
#include "pipeline/write_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch_folder.hpp"

namespace headstart {
namespace {

using test::read_text;
using test::ScratchFolder;

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
