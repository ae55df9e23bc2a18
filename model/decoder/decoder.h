#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "model/decoder/gradient_sink.h"
#include "model/decoder/parameter_gate.h"
#include "model/decoder/recompute.h"
#include "model/ops/batch.h"
#include "model/ops/ops.h"
#include "model/ops/prediction_divergence.h"
#include "model/ops/prediction_scores.h"
#include "model/shape/config.h"
#include "model/shape/parameters.h"
#include "model/weights/weights.h"

namespace chainrule::model::decoder {

/// Sees the logits block by block, so that no [tokens, vocabulary] buffer exists. The block may be overwritten.
class LogitsVisitor {
 public:
  virtual ~LogitsVisitor() = default;
  /// logits [rows, vocabulary_size], row stride `stride` elements; the block's first row is first_row of the batch.
  virtual void visit(std::int64_t first_row, std::int64_t rows, float* logits, std::int64_t stride) = 0;
};

enum class Purpose { evaluate, train };

/// Whether gradients join what is there or replace it.
enum class Accumulate { no, yes };

/// A further token whose probability is asked of a row.
struct FurtherTarget {
  std::int64_t row = 0;
  std::uint32_t target = 0;
};

struct DecoderOptions {
  std::int64_t maximum_rows = 0;  ///< largest batch, in rows
  Purpose purpose = Purpose::evaluate;
  Recompute recompute = Recompute::none;  ///< in training
  /// Training minimises this weight times (log Z)^2 beside a token's nll, Z the normaliser of its softmax.
  double z_loss = 0;
};

/// The decoder-only transformer on flat arenas: forward, loss and backward, with its workspace allocated once.
/// Not for use by two threads at once. Every result depends on the batch's shape and content, the parameters and the
/// number of threads, and on nothing else.
class Decoder {
 public:
  /// ops outlives the decoder. Throws Error for an impossible configuration.
  Decoder(const shape::Config& config, const DecoderOptions& options, ops::Ops& ops);
  ~Decoder();

  const shape::Config& config() const;
  const shape::ParameterTable& table() const;
  /// Bytes of activations and scratch it holds.
  std::int64_t workspace_bytes() const;

  /// Forward and loss. weights: an arena or stored; nll [rows] gets -log p(target | earlier rows of the sequence) in
  /// nats, 0 where not scored. Throws Error for a token outside the vocabulary or a sequence longer than the model's.
  void score(const weights::Weights& weights, const ops::Batch& batch, std::span<double> nll);
  /// The same, and what else is asked of each prediction: scores [rows], the nll the same bits. The loss then
  /// takes about a third more time.
  void score(const weights::Weights& weights, const ops::Batch& batch, const ops::PredictionScores& scores);
  /// The same, and further_scores [further] of other targets of scored rows, which ascend by row: the rows' logits are
  /// computed once.
  void score(const weights::Weights& weights, const ops::Batch& batch, const ops::PredictionScores& scores,
             std::span<const FurtherTarget> further, const ops::PredictionScores& further_scores);

  /// The same of a batch, and what baseline, a decoder of the same vocabulary, makes of it with its own weights. The
  /// logits of both exist for one block of rows at a time. Its nll has the bits of its own score().
  void score(const weights::Weights& weights, const ops::Batch& batch, const ops::PredictionScores& scores,
             Decoder& baseline, const weights::Weights& baseline_weights, const ops::BaselineScores& baseline_scores);

  /// Forward, then logits of every row, block by block.
  void visit_logits(const weights::Weights& weights, const ops::Batch& batch, LogitsVisitor& visitor);

  /// Forward, loss and backward. parameters, gradients [arena] (+)= d(sum of nll)/d(parameter), its padding left as it
  /// is, of nll + z_loss (log Z)^2 where the options have a z_loss; nll as in score. Needs Purpose::train. gate and
  /// sink may be null.
  void train(std::span<const float> parameters, const ops::Batch& batch, std::span<float> gradients,
             Accumulate accumulate, std::span<double> nll, ParameterGate* gate = nullptr, GradientSink* sink = nullptr);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What a decoder of these options will hold (Decoder::workspace_bytes), before it is made.
std::int64_t workspace_bytes(const shape::ParameterTable& table, const DecoderOptions& options);

}  // namespace chainrule::model::decoder
