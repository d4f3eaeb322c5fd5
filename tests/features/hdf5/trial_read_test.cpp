// tests/features/hdf5/trial_read_test.cpp: a reader that crashes, eats memory or never ends costs a child
// process and gives an Error.
#include "features/hdf5/trial_read.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "data/error.hpp"

namespace headstart {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// What a trial of `read` says; empty if it is content.
std::string verdict(const std::function<void()>& read, const TrialLimits& limits = {}) {
  try {
    try_in_child("file.h5", read, limits);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kFailed);
    return error.what();
  }
  return {};
}

TEST(TrialRead, AReaderThatSucceedsChangesNothingHere) {
  int changed = 0;
  EXPECT_EQ(verdict([&] { changed = 1; }), "");
  EXPECT_EQ(changed, 0);
}

TEST(TrialRead, AReaderThatCrashesIsAnErrorNamingTheFile) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGKILL}) {
    EXPECT_THAT(verdict([=] { std::raise(signal); }),
                AllOf(HasSubstr("file.h5: is damaged"), HasSubstr(strsignal(signal))));
  }
  EXPECT_THAT(verdict([] { ::_exit(1); }), HasSubstr("is damaged"));
  EXPECT_THAT(verdict([] { ::_exit(77); }), HasSubstr("is damaged"));
  EXPECT_THAT(verdict([] { throw std::runtime_error("x"); }), HasSubstr("is damaged"));
}

TEST(TrialRead, AnErrorOfTheReaderComesBackAsItWas) {
  try {
    try_in_child("file.h5",
                 [] { throw Error(Error::Kind::kData, "what: so", "where: there", "do: this\n"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kData);
    EXPECT_STREQ(error.what(), "what: so: where: there: do: this\\x0a");
  }
}

TEST(TrialRead, AReaderThatNeverEndsIsStopped) {
  EXPECT_THAT(verdict(
                  [] {
                    volatile bool forever = true;
                    while (forever) {
                    }
                  },
                  {.cpu_seconds = 1}),
              HasSubstr("takes more than 1 seconds"));
}

TEST(TrialRead, AReaderThatTakesTooMuchMemoryIsStopped) {
#ifdef HEADSTART_SANITIZED
  GTEST_SKIP() << "sanitizers need all addresses";
#endif
  const auto take = [](std::size_t bytes) {
    return [=] {
      const std::vector<char> taken(bytes, 'x');
      EXPECT_EQ(taken.back(), 'x');
    };
  };
  const TrialLimits limits{.memory_bytes = std::uint64_t{64} << 20U};
  EXPECT_EQ(verdict(take(std::size_t{16} << 20U), limits), "");
  EXPECT_THAT(verdict(take(std::size_t{128} << 20U), limits), HasSubstr("more memory than 64 MiB"));
}

TEST(TrialRead, WhatAReaderPrintsIsNotSeen) {
  ::testing::internal::CaptureStderr();
  std::cerr << "before";
  EXPECT_EQ(verdict([] { std::cerr << "inside" << std::flush; }), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "before");
}

}  // namespace
}  // namespace headstart
