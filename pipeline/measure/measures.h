#pragma once
#include "io/tokens/token_stream.h"
#include "pipeline/comm/communicator.h"
#include "pipeline/measure/benchmark.h"
#include "pipeline/windows/windows.h"

// The parts of a benchmark; each fills its figures of the result.
namespace chainrule::pipeline::measure {

/// Text to tokens, on one thread. Not collective.
void measure_tokenizing(const BenchmarkOptions& options, BenchmarkResult& result);

/// Tokens from disk: a shard from end to end, and permuted windows. Not collective.
void measure_reading(const BenchmarkOptions& options, const io::tokens::TokenStream& data,
                     const windows::Windows& windows, BenchmarkResult& result);

/// Peak memory of evaluation alone, and where the time of one micro-batch goes in evaluation and in training. Not
/// collective.
void profile_ops(const BenchmarkOptions& options, BenchmarkResult& result);

/// Reading of a prompt and decoding, beside the memory's speed. Not collective.
void measure_decoding(const BenchmarkOptions& options, BenchmarkResult& result);

/// Rates of the peak, the products, training, evaluation and the exchange between ranks, each measured once a round.
/// exchange: another communicator of the same ranks. Collective.
void measure_steps(const comm::Communicator& communicator, const comm::Communicator& exchange,
                   const BenchmarkOptions& options, const windows::Windows& windows, BenchmarkResult& result);

}  // namespace chainrule::pipeline::measure
