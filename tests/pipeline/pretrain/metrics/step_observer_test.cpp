// What the log and the terminal make of a run's steps, to the byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "io/files/atomic_file.h"
#include "pipeline/pretrain/metrics/console.h"
#include "pipeline/pretrain/metrics/metrics_observer.h"

namespace chainrule::pipeline::pretrain::metrics {
namespace {

StepRecord record_of(std::int64_t step) {
  return {.step = step,
          .last_step = 40,
          .samples = static_cast<std::uint64_t>(step) * 8,
          .tokens = step * 512,
          .loss_nats = 4.25,
          .learning_rate = 0.0015,
          .gradient_norm = 0.8125,
          .step_tokens = 512,
          .steps_left = static_cast<double>(40 - step),
          .step_seconds = 0.5,
          .elapsed_seconds = static_cast<double>(step) * 0.75,
          .validation_loss_nats = {},
          .weights_hash = "",
          .skipped = "",
          .stop = false};
}

TEST(MetricsObserver, WritesALineAStep) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / ("metrics-" + std::to_string(::getpid()) + ".jsonl");
  {
    MetricsObserver metrics(path, 0);
    metrics.step_taken(record_of(1));
    StepRecord saved = record_of(2);
    saved.validation_loss_nats = 4.5;
    saved.weights_hash = "0123abcd";
    metrics.step_taken(saved);
    saved.step = 3;
    saved.validation_loss_nats = NAN;
    metrics.step_taken(saved);
    metrics.checkpoint_begins();
  }
  const std::string head = R"("loss":4.25,"learning_rate":0.0015,"gradient_norm":0.8125,"tokens_per_second":1024.0,)";
  EXPECT_EQ(io::files::read_file(path),
            R"({"step":1,"tokens":512,"samples":8,)" + head + R"("elapsed_seconds":0.75})" + "\n" +
                R"({"step":2,"tokens":1024,"samples":16,)" + head +
                R"("elapsed_seconds":1.5,"validation_loss":4.5,"weights_hash":"0123abcd"})" + "\n" +
                R"({"step":3,"tokens":1024,"samples":16,)" + head +
                R"("elapsed_seconds":1.5,"validation_loss":null,"weights_hash":"0123abcd"})" + "\n");
  std::filesystem::remove(path);
}

/// What a console says of steps first to last, every tenth of which is to be logged.
std::string said_of(std::int64_t first, std::int64_t last, const auto& change) {
  testing::internal::CaptureStderr();
  {
    Console console(10, first - 1, static_cast<double>(first - 1) * 0.75);
    for (std::int64_t step = first; step <= last; ++step) {
      StepRecord record = record_of(step);
      change(record);
      console.step_taken(record);
    }
  }
  return testing::internal::GetCapturedStderr();
}

std::string line(std::int64_t step, const std::string& validation, const std::string& left) {
  const std::string place = "step " + std::to_string(step) + "/40";
  return (validation.empty() ? "" : place + validation + "\n") + place +
         "  loss 4.2500  lr 0.0015  norm 0.81  683 tok/s  " + left + " left\n";
}

TEST(Console, SaysWhatIsDueValidatedStoppedOrLast) {
  const auto as_it_is = [](StepRecord&) {};
  EXPECT_EQ(said_of(1, 9, as_it_is), "");
  EXPECT_EQ(said_of(5, 20, as_it_is), line(10, "", "0:00:23") + line(20, "", "0:00:15"));
  EXPECT_EQ(said_of(31, 40, as_it_is), line(40, "", "0:00:00"));
  EXPECT_EQ(said_of(1, 3, [](StepRecord& record) { record.stop = record.step == 3; }), line(3, "", "0:00:28"));
  EXPECT_EQ(said_of(1, 3,
                    [](StepRecord& record) {
                      if (record.step == 2) record.validation_loss_nats = 4.5;
                    }),
            line(2, "  validation loss 4.5000", "0:00:29"));
}

TEST(MetricsObserver, SaysWhatIsKnownOfMachineAndRanks) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / ("metrics-" + std::to_string(::getpid()) + "-machine.jsonl");
  {
    MetricsObserver metrics(path, 0);
    StepRecord record = record_of(1);
    record.peak_tokens_per_second = 4096;
    record.joules_per_token = 0.5;
    record.slow_rank = SlowRank{3, "node7", 0.25};
    metrics.step_taken(record);
  }
  EXPECT_THAT(
      io::files::read_file(path),
      testing::HasSubstr(R"("elapsed_seconds":0.75,"peak_fraction":0.25,"joules_per_token":0.5,"slowest_rank":3,)"
                         R"("slowest_host":"node7","slowest_behind":0.25})"));
  std::filesystem::remove(path);
}

TEST(Console, SaysWhatTheMachineTells) {
  EXPECT_EQ(said_of(5, 10,
                    [](StepRecord& record) {
                      record.peak_tokens_per_second = 2000;
                      if (record.step == 7) record.joules_per_token = 0.0352;
                    }),
            "step 10/40  loss 4.2500  lr 0.0015  norm 0.81  683 tok/s  34% peak  0.035 J/tok  0:00:23 left\n");
}

TEST(Console, ALineHasAtMostAHundredColumns) {
  const std::string said = said_of(10, 10, [](StepRecord& record) {
    record.last_step = 1'000'000;
    record.step = 123'450;
    record.loss_nats = 10.1234;
    record.learning_rate = 0.000216;
    record.gradient_norm = 0.828;
    record.step_tokens = 524'288;
    record.elapsed_seconds = 123'450 * 4.5;
    record.peak_tokens_per_second = 1e6;
    record.joules_per_token = 0.0352;
  });
  EXPECT_LE(said.size(), Console::kColumns + 1) << said;
  EXPECT_THAT(said, testing::HasSubstr("J/tok"));
}

TEST(Console, WarnsOfASlowRankAsItBeginsAndNotAtEachLine) {
  const auto slow_from = [](std::int64_t first) {
    return [first](StepRecord& record) {
      record.last_step = 2000;
      if (record.step >= first && record.step % 10 == 0) record.slow_rank = SlowRank{1, "node\n7", 0.234};
    };
  };
  const std::string said = said_of(1, 300, slow_from(100));
  const std::string warning =
      "rank 1 on node\\u{a}7 is 23 % behind the median of ranks in computing: the others wait for it\n";
  EXPECT_THAT(said, testing::HasSubstr(warning));
  EXPECT_EQ(said.find("rank 1"), said.rfind("rank 1"));
  EXPECT_LT(said.find("step 100/"), said.find("rank 1"));
  EXPECT_GT(said.find("step 110/"), said.find("rank 1"));
}

TEST(Console, SaysHowARunEnded) {
  testing::internal::CaptureStderr();
  {
    Console console(10, 0, 0);
    console.run_ended({40, 40, "0123abcd", "run/checkpoints/step-00000040"});
    console.run_ended({7, 40, "0123abcd", "run/checkpoints/step-00000007"});
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "finished 40 steps; weights_hash 0123abcd; checkpoint run/checkpoints/step-00000040\n"
            "stopped early at step 7 of 40, as asked; the checkpoint is saved: the same command goes on\n");
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain::metrics
