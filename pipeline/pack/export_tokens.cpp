#include "pipeline/pack/export_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "io/error.h"
#include "io/quote.h"
#include "io/tokenizer/tokenizer.h"
#include "io/tokens/data_set.h"
#include "io/tokens/document_table.h"
#include "io/tokens/foreign/document_writers.h"
#include "io/tokens/foreign/foreign_stream.h"
#include "pipeline/comm/agreement.h"
#include "pipeline/pack/partial_folder.h"

namespace chainrule::pipeline::pack {
namespace {

namespace foreign = io::tokens::foreign;

constexpr std::uint64_t kCopyTokens = std::uint64_t{1} << 20U;

std::unique_ptr<foreign::DocumentWriter> writer_for(const ExportOptions& options, const std::filesystem::path& folder,
                                                    const foreign::DocumentIds& ids) {
  return options.layout == foreign::Layout::llmc ? foreign::write_llmc(folder, ids, options.shard_tokens)
                                                 : foreign::write_megatron(folder, ids);
}

/// What was written must be read as what was to be written.
void compare(const io::tokens::DataSet& data, const io::tokens::DocumentTable& documents,
             const foreign::TokenRun& written) {
  bool is_same = written.token_count() == data.token_count() && written.document_count() == documents.size();
  for (std::uint64_t i = 0; is_same && i < documents.size(); ++i) {
    is_same = written.first_token(i) == documents[i].first_token;
  }
  std::vector<std::uint32_t> given;
  std::vector<std::uint32_t> back;
  for (std::uint64_t first = 0; is_same && first < data.token_count(); first += given.size()) {
    given.resize(std::min(kCopyTokens, data.token_count() - first));
    back.resize(given.size());
    data.read(first, given);
    written.read(first, back);
    is_same = given == back;
  }
  if (!is_same) {
    throw io::Error(io::ErrorKind::input_output, fmt::format("what was written of {} is read back as something else",
                                                             io::path_in_quotes(data.path())));
  }
}

Exported write(const ExportOptions& options, const std::filesystem::path& folder) {
  const auto data = io::tokens::DataSet::open(options.data);
  io::tokens::verify_shards(data, 0, 1);
  const io::tokens::DocumentTable documents(data, data.document_count());
  const auto ids = foreign::document_ids_of(io::tokenizer::Tokenizer::load(data.tokenizer_path()));
  const auto writer = writer_for(options, folder, ids);
  std::vector<std::uint32_t> tokens;
  for (std::uint64_t i = 0; i < documents.size(); ++i) {
    tokens.resize(documents[i].tokens);
    data.read(documents[i].first_token, tokens);
    writer->append(tokens);
  }
  const foreign::TokenRun written(writer->finish(), ids);
  compare(data, documents, written);
  return {written.shards().files.size(), documents.size(), data.token_count()};
}

}  // namespace

Exported export_tokens(const comm::Communicator& communicator, const ExportOptions& options) {
  PartialFolder partial(communicator, options.output);
  Exported exported;
  comm::agree_on_first(communicator, [&] { exported = write(options, partial.path()); });
  partial.commit();
  return exported;
}

}  // namespace chainrule::pipeline::pack
