#include "pipeline/watch/curves/run_history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/error.h"

namespace chainrule::pipeline::watch::curves {
namespace {

using testing::HasSubstr;

std::string line(std::int64_t step, const std::string& loss, const std::string& more = "") {
  return fmt::format(
      R"({{"step":{},"tokens":{},"samples":{},"loss":{},"learning_rate":0.001,"gradient_norm":1.5,"tokens_per_second":100.0,"elapsed_seconds":{}{}}})"
      "\n",
      step, 64 * step, 4 * step, loss, step, more);
}

class RunHistoryTest : public testing::Test {
 protected:
  RunHistoryTest() { std::filesystem::create_directories(folder_); }
  ~RunHistoryTest() override { std::filesystem::remove_all(folder_); }

  void write(const char* name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  RunHistory read(const std::string& log) const {
    write("metrics.jsonl", log);
    return read_run(folder_);
  }
  std::string refusal(const std::string& log) const {
    try {
      read(log);
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
      return error.what();
    }
    return "no refusal";
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chainrule-history-" + std::to_string(::getpid()));
};

std::vector<double> means(const ThinnedSeries& series) {
  std::vector<double> values;
  for (const ThinnedSeries::Bucket& bucket : series.buckets()) values.push_back(bucket.mean());
  return values;
}

TEST_F(RunHistoryTest, ReadsWhatLinesSay) {
  write("config.cfg", "steps = 3\n");
  const RunHistory run =
      read(line(1, "3.5") + line(2, "3.25", R"(,"validation_loss":3.125,"validation_losses":{"web":3.0,"code":2.5})") +
           line(3, "3.0", R"(,"weights_hash":"ab","unknown":[1])"));
  EXPECT_THAT(means(run.loss), testing::ElementsAre(3.5, 3.25, 3.0));
  EXPECT_THAT(means(run.validation_loss), testing::ElementsAre(3.125));
  ASSERT_EQ(run.validation.size(), 2U);
  EXPECT_EQ(run.validation.at("code").last(), 2.5);
  EXPECT_EQ(run.step(), 3);
  EXPECT_EQ(run.last_step, 3);
  EXPECT_EQ(run.tokens.at(2), 128);
  EXPECT_EQ(run.events.count(EventKind::validation), 1);
  EXPECT_EQ(run.events.count(EventKind::checkpoint), 1);
  EXPECT_EQ(run.events.count(EventKind::end), 1);
}

TEST_F(RunHistoryTest, ASkippedStepHasItsReasonAndNoGradient) {
  const RunHistory run =
      read(line(1, "3.5") + line(2, "null", R"(,"skipped":"the loss of 3 tokens is not finite")") + line(3, "3.0"));
  EXPECT_EQ(run.loss.nonfinite(), 1);
  EXPECT_EQ(run.gradient_norm.values(), 2);
  EXPECT_EQ(run.events.in_order().front().text, "the loss of 3 tokens is not finite");
}

TEST_F(RunHistoryTest, ALastLineThatIsCutShortIsPassedOver) {
  const std::string whole = line(1, "3.5") + line(2, "3.25");
  const std::string last = line(3, "3.0");
  for (std::size_t bytes = 0; bytes < last.size(); ++bytes) {
    EXPECT_EQ(read(whole + last.substr(0, bytes)).step(), 2);
  }
  EXPECT_EQ(read(whole + last).step(), 3);
  EXPECT_FALSE(read("").last);
}

TEST_F(RunHistoryTest, OtherDamageIsRefusedByItsLine) {
  EXPECT_THAT(refusal(line(1, "3.5") + "{\"step\":2,\n" + line(3, "3.0")), HasSubstr("metrics.jsonl', line 2"));
  EXPECT_THAT(refusal(line(1, "3.5") + "\n"), HasSubstr("line 2"));
  EXPECT_THAT(refusal("[]\n"), HasSubstr("line 1: it is no object"));
  EXPECT_THAT(refusal("{\"step\":1}\n"), HasSubstr("line 1: 'tokens' is no whole number"));
  EXPECT_THAT(refusal(line(1, "\"3.5\"")), HasSubstr("'loss' is no number"));
  EXPECT_THAT(refusal(line(0, "3.5")), HasSubstr("'step' is no whole number from 1 on"));
  EXPECT_THAT(refusal(line(1, "3.5", R"(,"validation_losses":[1])")), HasSubstr("'validation_losses' is no object"));
  EXPECT_THAT(refusal(line(1, "3.5", R"(,"skipped":7)")), HasSubstr("'skipped' is no text"));
}

TEST_F(RunHistoryTest, ARepeatedStepAppearsAsItWasTakenLast) {
  const RunHistory run = read(line(1, "1") + line(2, "2") + line(3, "3", R"(,"weights_hash":"ab")") + line(2, "20") +
                              line(3, "30") + line(4, "40"));
  EXPECT_THAT(means(run.loss), testing::ElementsAre(1, 20, 30, 40));
  EXPECT_EQ(run.events.count(EventKind::checkpoint), 0);
  EXPECT_EQ(run.step(), 4);
}

TEST_F(RunHistoryTest, MemoryDoesNotGrowWithSteps) {
  std::string log;
  for (int step = 1; step <= 20'000; ++step) log += line(step, step == 12'345 ? "77.5" : "3.5");
  const RunHistory run = read(log);
  EXPECT_LE(run.loss.buckets().size(), 1024U);
  EXPECT_EQ(run.loss.maximum(), 77.5);
  EXPECT_EQ(run.loss.values(), 20'000);
}

TEST_F(RunHistoryTest, StartsAreEvents) {
  write("environment.json",
        R"({"starts":[{"program":"chainrule 1","ranks":2,"threads_per_rank":4,"started":"2026-01-31T12:00:00Z",
            "hosts":[{"name":"n1","processor":"P"},{"name":"n2","processor":"P"}],"job":{"scheduler":"Slurm","id":"7"}},
           {"program":"chainrule 1","ranks":1,"threads_per_rank":1,"started":"2026-01-31T13:00:00Z","from_step":1,
            "hosts":[{"name":"n3","processor":"Q"}],"job":{}}]})");
  const RunHistory run = read(line(1, "3.5") + line(2, "3"));
  const std::vector<RunEvent> events = run.events.in_order();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].text, "2 ranks x 4 threads on n1 and 1 other; job 7 of Slurm; chainrule 1");
  EXPECT_EQ(events[1].step, 1);
  EXPECT_EQ(events[1].time, "2026-01-31T13:00:00Z");
  EXPECT_EQ(run.environment, "1 rank x 1 thread on n3; Q");
  write("environment.json", R"({"starts":[{"ranks":"two"}]})");
  EXPECT_THAT(refusal(line(1, "3.5")), HasSubstr("environment.json': start 1 does not say"));
}

TEST_F(RunHistoryTest, RefusesWhatIsNoRun) {
  EXPECT_THROW(read_run(folder_), io::Error);
  EXPECT_THROW(read_run(folder_ / "absent"), io::Error);
  write("config.cfg", "steps = 3\n");
  EXPECT_EQ(read_run(folder_).step(), 0);
}

}  // namespace
}  // namespace chainrule::pipeline::watch::curves
