#include "pipeline/pretrain/sources.h"

#include <gtest/gtest.h>

#include <set>

#include "io/error.h"
#include "io/tokens/memory_stream.h"
#include "pipeline/failure/error.h"

namespace chainrule::pipeline::pretrain {
namespace {

using Seeds = std::vector<std::uint64_t>;

TEST(Sources, TheFirstToBeginHasTheRunsSeedAndLaterOnesChangeNone) {
  EXPECT_EQ(source_seeds(mix::of_one_source("x"), 7), Seeds{7});
  EXPECT_EQ(source_seeds(mix::parse_mix({"any=x:3"}), 7), Seeds{7});
  const Seeds both = source_seeds(mix::parse_mix({"b=y:1", "c=z:1"}), 7);
  EXPECT_EQ(both[0], 7U);
  EXPECT_NE(both[1], 7U);
  const Seeds more = source_seeds(mix::parse_mix({"a=x:1@5", "b=y:1", "c=z:1", "d=u:0"}), 7);
  EXPECT_EQ(Seeds(more.begin() + 1, more.begin() + 3), both);
  EXPECT_EQ(std::set<std::uint64_t>(more.begin(), more.end()).size(), 4U);
  EXPECT_NE(source_seeds(mix::parse_mix({"b=y:1", "c=z:1"}), 8)[1], both[1]);
}

/// Two sources of 10 and 25 windows of 4 tokens.
class MadeSources : public testing::Test {
 protected:
  MadeSources() {
    options_.mix = mix::parse_mix({"a=x:1", "b=y:1", "b:3@2"});
    options_.global_batch = 8;
    options_.schedule.steps = 4;
    inputs_.config.sequence_length = 4;
    for (const auto& [name, tokens] : {std::pair{"a", 40}, std::pair{"b", 100}}) {
      auto stream = std::make_unique<io::tokens::MemoryStream>(io::tokens::MemoryStream({100, 99, 99}));
      stream->append(std::vector<std::uint32_t>(static_cast<std::size_t>(tokens), 7));
      inputs_.sources.push_back({name, std::move(stream), {}});
    }
  }

  PretrainOptions options_;
  PretrainInputs inputs_;
};

TEST_F(MadeSources, AreCountedByStages) {
  const auto states = source_states(options_, inputs_, 32);
  EXPECT_EQ(states[0].samples, 12U);
  EXPECT_EQ(states[1].samples, 20U);
}

TEST_F(MadeSources, AreTakenWindowByWindowUntilAnEpochEnds) {
  const auto samples = make_samples(options_, inputs_);
  std::set<std::uint64_t> first;
  std::set<std::uint64_t> second;
  for (std::uint64_t n = 0; n < 32; ++n) {
    const windows::Sample sample = samples->sample(n);
    const bool of_first = sample.stream == inputs_.sources[0].training.get();
    if (of_first && sample.epoch == 0) {
      EXPECT_TRUE(first.insert(sample.window.first_target).second);
    } else if (!of_first) {
      EXPECT_EQ(sample.epoch, 0U);
      EXPECT_TRUE(second.insert(sample.window.first_target).second);
    }
  }
  EXPECT_EQ(first.size(), 10U);
  EXPECT_EQ(second.size(), 20U);
}

TEST_F(MadeSources, AreRefusedBeyondTheMostEpochs) {
  options_.max_epochs = 1.2;
  EXPECT_NO_THROW(check_epochs(options_, inputs_));
  options_.max_epochs = 1.19;
  try {
    check_epochs(options_, inputs_);
    FAIL();
  } catch (const failure::Error& error) {
    EXPECT_EQ(error.code(), failure::ExitCode::usage);
    EXPECT_NE(std::string(error.what()).find("of 'a' 4 steps take 12 samples of its 10 windows, 1.20 epochs"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(MadeSources, OfACheckpointMustBeThoseOfTheStages) {
  checkpoint::TrainingState state;
  state.samples_consumed = 16;
  state.sources = source_states(options_, inputs_, 16);
  EXPECT_NO_THROW(check_sources(state, options_, inputs_));
  const auto refused = [&](auto change) {
    checkpoint::TrainingState damaged = state;
    change(damaged.sources);
    EXPECT_THROW(check_sources(damaged, options_, inputs_), io::Error);
  };
  refused([](auto& sources) { ++sources[0].samples; });
  refused([](auto& sources) { sources.pop_back(); });
  refused([](auto& sources) { sources.push_back(sources[0]); });
  refused([](auto& sources) { sources.push_back({"c", 1, "f"}); });
  refused([](auto& sources) { sources.clear(); });
  state.sources[1].data_fingerprint = "another";
  EXPECT_THROW(check_sources(state, options_, inputs_), failure::Error);
}

}  // namespace
}  // namespace chainrule::pipeline::pretrain
