#include "pipeline/run/run_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "io/error.h"
#include "io/files/atomic_file.h"
#include "pipeline/failure/error.h"
#include "pipeline/pretrain/metrics/metrics_log.h"

namespace chainrule::pipeline::run {
namespace {

class RunDirectoryTest : public testing::Test {
 protected:
  ~RunDirectoryTest() override { std::filesystem::remove_all(folder_); }

  std::string refusal(const std::filesystem::path& path) const {
    try {
      RunDirectory::open(path);
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::cannot_create);
      return error.what();
    }
    return "no refusal";
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("chainrule-run-" + std::to_string(::getpid()));
};

TEST_F(RunDirectoryTest, IsMadeLockedAndFreedWithItsHolder) {
  {
    const RunDirectory run = RunDirectory::open(folder_ / "a" / "b");
    EXPECT_FALSE(run.configuration());
    EXPECT_THAT(refusal(folder_ / "a" / "b"), testing::HasSubstr("in use by process " + std::to_string(::getpid())));
  }
  EXPECT_NO_THROW(RunDirectory::open(folder_ / "a" / "b"));
}

TEST_F(RunDirectoryTest, RemembersItsConfiguration) {
  const Configuration written = {{"data", "a folder/with = and # in it"}, {"steps", "10"}, {"lanes", "8"}};
  RunDirectory::open(folder_).write_configuration(written);
  EXPECT_EQ(RunDirectory::open(folder_).configuration(), written);
}

TEST_F(RunDirectoryTest, ListsEveryStart) {
  const RunDirectory run = RunDirectory::open(folder_);
  run.add_environment(R"({"ranks": 1})");
  run.add_environment(R"({"ranks": 2})");
  const std::string text = io::files::read_file(folder_ / "environment.json");
  EXPECT_LT(text.find("\"ranks\": 1"), text.find("\"ranks\": 2"));
}

TEST_F(RunDirectoryTest, RefusesFoldersOfOthers) {
  std::filesystem::create_directories(folder_);
  io::files::write_file_atomically(folder_ / "notes.txt", "mine");
  EXPECT_THAT(refusal(folder_), testing::HasSubstr("is no run directory"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "lock"));
  EXPECT_THAT(refusal(folder_ / "notes.txt"), testing::HasSubstr("is no folder"));
  EXPECT_THAT(refusal(folder_ / "notes.txt" / "run"), testing::HasSubstr("cannot create"));
}

TEST(CheckSameRun, NamesTheOptionThatDiffers) {
  const Configuration saved = {{"steps", "10"}, {"log-every", "1"}, {"width", "32"}};
  EXPECT_NO_THROW(check_same_run(saved, {{"steps", "10"}, {"log-every", "5"}, {"width", "32"}}, {"log-every"}));
  const auto difference = [&](const Configuration& now) -> std::string {
    try {
      check_same_run(saved, now, {"log-every"});
    } catch (const failure::Error& error) {
      EXPECT_EQ(error.code(), failure::ExitCode::usage);
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(difference({{"steps", "11"}, {"width", "32"}}),
              testing::HasSubstr("'--steps' is '10' in this run and '11'"));
  EXPECT_THAT(difference({{"steps", "10"}}), testing::HasSubstr("'--width' is '32' in this run and not set"));
  EXPECT_THAT(difference({{"steps", "10"}, {"width", "32"}, {"layers", "2"}}),
              testing::HasSubstr("'--layers' is not set"));
}

TEST_F(RunDirectoryTest, AnEnvironmentThatHoldsNoStartsIsDamaged) {
  const RunDirectory run = RunDirectory::open(folder_);
  for (const char* content : {R"({"starts": 5})", R"({"starts": {}})", R"({"starts": null})", R"({})", R"([])", "{"}) {
    io::files::write_file_atomically(folder_ / kEnvironmentName, content);
    try {
      run.add_environment("{}");
      ADD_FAILURE() << content;
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::bad_data) << content;
      EXPECT_THAT(error.what(), testing::HasSubstr("environment.json' is damaged"));
    }
    EXPECT_EQ(io::files::read_file(folder_ / kEnvironmentName), content);
  }
}

TEST_F(RunDirectoryTest, MetricsLogSaysWhereALineDidNotFit) {
  std::filesystem::create_directories(folder_);
  pretrain::metrics::MetricsLog log(folder_ / "metrics.jsonl", 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{10, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  errno = 0;
  EXPECT_THAT([&] { log.append(R"({"step":1,"loss":5})"); },
              testing::ThrowsMessage<io::Error>(testing::HasSubstr("10 of 20 bytes fit")));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
}

TEST_F(RunDirectoryTest, MetricsLogCutsOffStepsThatWillBeTakenAgain) {
  std::filesystem::create_directories(folder_);
  const std::filesystem::path path = folder_ / "metrics.jsonl";
  {
    pretrain::metrics::MetricsLog log(path, 0);
    for (int step = 1; step <= 4; ++step) log.append("{\"step\":" + std::to_string(step) + "}");
    log.sync();
  }
  io::files::write_file_atomically(path, io::files::read_file(path) + "{\"step\":2");
  pretrain::metrics::MetricsLog(path, 3).append("{\"step\":4,\"again\":true}");
  EXPECT_EQ(io::files::read_file(path), "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4,\"again\":true}\n");
}

}  // namespace
}  // namespace chainrule::pipeline::run
