#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace chainrule::pipeline::evaluate::report {

/// What an evaluation says in the terms of its protocol: the numbers that others print, and of which tokens.
struct ProtocolResult {
  struct Number {
    std::string name;
    std::string normaliser;  ///< what the nats are divided by
    std::optional<double> cross_entropy_nats;
    std::optional<double> perplexity;        ///< exp of it
    std::optional<double> perplexity_error;  ///< as llama.cpp prints it: see windows::protocol::Number::has_error
  };
  struct Dropped {
    std::string why;
    std::uint64_t tokens = 0;
  };

  std::string difference;                     ///< why its numbers are not those of protocol document
  std::optional<std::uint32_t> prefix_token;  ///< id of what windows are read behind; nothing: of their own first token
  std::uint64_t tokens = 0;                   ///< of the text, scored or not
  std::vector<Dropped> dropped;               ///< those that are not scored
  std::uint64_t context_minimum = 0, context_median = 0, context_maximum = 0;  ///< tokens that one is predicted from
  std::optional<double> context_mean;
  std::vector<Number> numbers;  ///< the first is the one that is quoted
};

}  // namespace chainrule::pipeline::evaluate::report
