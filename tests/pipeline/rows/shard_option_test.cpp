// tests/pipeline/rows/shard_option_test.cpp: --shard, and what launchers set in its place.
#include "pipeline/rows/shard_option.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "data/error.hpp"

namespace headstart {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

ChosenShard chosen(const Variables& variables, RanksTake ranks = RanksTake::kShards) {
  return shard_of_launch(
      [&](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
      },
      ranks);
}

/// What the error says; it must be one of usage.
std::string refusal(const Variables& variables) {
  try {
    const ChosenShard shard = chosen(variables);
    return "none: " + shard.reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), Error::Kind::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("--shard none"));
    return error.what();
  }
}

Variables job_array(const std::string& id, const std::string& first, const std::string& last,
                    const std::string& count) {
  return {{"SLURM_ARRAY_TASK_ID", id},
          {"SLURM_ARRAY_TASK_MIN", first},
          {"SLURM_ARRAY_TASK_MAX", last},
          {"SLURM_ARRAY_TASK_COUNT", count}};
}

TEST(ShardOption, ReadsKOfNAndNone) {
  EXPECT_EQ(parse_shard("0/1"), (Shard{0, 1}));
  EXPECT_EQ(parse_shard("3/8"), (Shard{3, 8}));
  EXPECT_EQ(parse_shard("none"), (Shard{0, 1}));
}

TEST(ShardOption, RefusesEverythingElse) {
  for (const char* text : {"",
                           "/",
                           "3",
                           "3/",
                           "/8",
                           "8/8",
                           "9/8",
                           "0/0",
                           "-1/8",
                           "1/-8",
                           "+1/8",
                           " 1/8",
                           "1/8 ",
                           "1 /8",
                           "1/8/9",
                           "a/b",
                           "1.0/8",
                           "0x1/8",
                           "1/4294967296",
                           "None",
                           "all",
                           "99999999999999999999/8"}) {
    EXPECT_FALSE(parse_shard(text)) << text;
  }
}

TEST(ShardOption, WithoutALauncherItIsTheWhole) {
  EXPECT_EQ(chosen({}).shard, Shard{});
  EXPECT_EQ(chosen({}).reason, "");
}

TEST(ShardOption, ASlurmTaskTakesItsShard) {
  const Variables task{{"SLURM_PROCID", "3"}, {"SLURM_NTASKS", "8"}};
  EXPECT_EQ(chosen(task).shard, (Shard{3, 8}));
  EXPECT_EQ(chosen(task).reason, "SLURM_PROCID=3 of SLURM_NTASKS=8");
  // srun -n 4 in a job that has more.
  EXPECT_EQ(chosen({{"SLURM_JOB_ID", "77"},
                    {"SLURM_STEP_ID", "0"},
                    {"SLURM_PROCID", "3"},
                    {"SLURM_NTASKS", "8"},
                    {"SLURM_STEP_NUM_TASKS", "4"}})
                .shard,
            (Shard{3, 4}));
}

// Without srun the script runs once, whatever --ntasks its job has.
TEST(ShardOption, ASlurmBatchScriptIsNoTask) {
  EXPECT_EQ(chosen({{"SLURM_JOB_ID", "77"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}}).shard, Shard{});
}

TEST(ShardOption, OneTaskIsTheWholeAndNothingIsSaid) {
  for (const Variables& one :
       {Variables{{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "1"}},
        Variables{{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "1"}},
        Variables{{"JOB_COMPLETION_INDEX", "0"}, {"JOB_COMPLETIONS", "1"}}, job_array("7", "7", "7", "1")}) {
    EXPECT_EQ(chosen(one).shard, Shard{});
    EXPECT_EQ(chosen(one).reason, "");
  }
}

TEST(ShardOption, AJobArrayMayStartAnywhereInEvenSteps) {
  EXPECT_EQ(chosen(job_array("0", "0", "31", "32")).shard, (Shard{0, 32}));
  EXPECT_EQ(chosen(job_array("32", "1", "32", "32")).shard, (Shard{31, 32}));
  EXPECT_EQ(chosen(job_array("1", "1", "7", "4")).shard, (Shard{0, 4}));  // --array=1-7:2
  EXPECT_EQ(chosen(job_array("5", "1", "7", "4")).shard, (Shard{2, 4}));
  EXPECT_EQ(chosen({{"SLURM_ARRAY_TASK_ID", "2"}, {"SLURM_ARRAY_TASK_COUNT", "4"}}).shard, (Shard{2, 4}));
  EXPECT_THAT(chosen(job_array("5", "1", "7", "4")).reason, HasSubstr("SLURM_ARRAY_TASK_ID=5"));
}

// --array=1,2,9: a task can't tell that 2 is the second; one of them has to say so, or a shard is missing.
TEST(ShardOption, AnUnevenJobArrayIsRefused) {
  EXPECT_THAT(refusal(job_array("2", "1", "9", "3")), HasSubstr("not in even steps"));
  EXPECT_THAT(refusal(job_array("1", "1", "4", "3")), HasSubstr("not in even steps"));
  EXPECT_THAT(refusal(job_array("9", "1", "7", "4")), HasSubstr("not in even steps"));
  EXPECT_THAT(refusal(job_array("1", "1", "1", "2")), HasSubstr("not in even steps"));
  EXPECT_THAT(refusal(job_array("1", "9", "1", "3")), HasSubstr("not in even steps"));
  EXPECT_THAT(refusal(job_array("0", "0", "0", "0")), HasSubstr("not in even steps"));
}

TEST(ShardOption, AnIndexedJobHasToSayOfHowMany) {
  EXPECT_EQ(chosen({{"JOB_COMPLETION_INDEX", "2"}, {"JOB_COMPLETIONS", "5"}}).shard, (Shard{2, 5}));
  EXPECT_THAT(refusal({{"JOB_COMPLETION_INDEX", "2"}}), HasSubstr("set JOB_COMPLETIONS"));
}

TEST(ShardOption, RanksTakeShardsWhereTheyCannotShareWork) {
  const Variables open_mpi{{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}};
  EXPECT_EQ(chosen(open_mpi).shard, (Shard{1, 4}));
  EXPECT_EQ(chosen(open_mpi, RanksTake::kCommonWork).shard, Shard{});
  EXPECT_EQ(chosen({{"PMI_RANK", "2"}, {"PMI_SIZE", "3"}}).shard, (Shard{2, 3}));
}

// mpirun within a Slurm job starts its helpers with srun: their variables are not those of the rank.
TEST(ShardOption, TheRankWinsOverTheStepThatStartedMpirun) {
  EXPECT_EQ(chosen({{"OMPI_COMM_WORLD_RANK", "5"},
                    {"OMPI_COMM_WORLD_SIZE", "8"},
                    {"SLURM_PROCID", "1"},
                    {"SLURM_STEP_NUM_TASKS", "2"}})
                .shard,
            (Shard{5, 8}));
}

TEST(ShardOption, TasksOfAnArraysJobShareItsShard) {
  Variables both = job_array("3", "1", "4", "4");  // the third of four jobs
  both["SLURM_PROCID"] = "1";
  both["SLURM_NTASKS"] = "2";
  EXPECT_EQ(chosen(both).shard, (Shard{5, 8}));
  EXPECT_THAT(chosen(both).reason, HasSubstr("SLURM_ARRAY_TASK_ID=3"));
  EXPECT_THAT(chosen(both).reason, HasSubstr("SLURM_PROCID=1"));
  EXPECT_EQ(chosen(both, RanksTake::kCommonWork).shard, (Shard{2, 4}));
}

TEST(ShardOption, WhatIsNoNumberIsRefusedByName) {
  EXPECT_THAT(refusal({{"SLURM_PROCID", "one"}, {"SLURM_NTASKS", "4"}}), HasSubstr("SLURM_PROCID is 'one'"));
  EXPECT_THAT(refusal({{"SLURM_PROCID", "4"}, {"SLURM_NTASKS", "4"}}), HasSubstr("SLURM_PROCID=4"));
  EXPECT_THAT(refusal({{"JOB_COMPLETION_INDEX", "-1"}}), HasSubstr("JOB_COMPLETION_INDEX is '-1'"));
  EXPECT_THAT(refusal(job_array("1", "", "3", "3")), HasSubstr("SLURM_ARRAY_TASK_MIN is ''"));
}

}  // namespace
}  // namespace headstart
