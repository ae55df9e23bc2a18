#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/evaluate/report/evaluation_report.h"

namespace chainrule::pipeline::evaluate::page {

/// A document shown token by token.
struct ShownDocument {
  struct Token {
    std::string bytes;
    double nll_nats = 0;
  };
  std::string label;  ///< where it is from
  double nats_per_token = 0;
  std::vector<Token> tokens;        ///< its first ones
  std::uint64_t hidden_tokens = 0;  ///< those behind
  bool surprising = false;          ///< one of the most surprising, else of the least
};

struct PageContent {
  report::EvaluationReport report;
  std::string data;                                        ///< what was evaluated, in a word
  std::string command;                                     ///< how
  std::vector<std::pair<std::string, std::string>> facts;  ///< of model, data and environment
  std::vector<ShownDocument> documents;
  std::string no_documents;  ///< why none are shown
};

/// A page in HTML that stands alone: no script, nothing loaded, light and dark, for narrow and wide windows.
std::string render_report_page(const PageContent& content);

}  // namespace chainrule::pipeline::evaluate::page
