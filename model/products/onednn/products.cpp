#include "model/products/onednn/products.h"

#include <map>
#include <unordered_map>
#include <vector>

#include "model/products/onednn/compatibility.h"

namespace chainrule::model::products::onednn {
namespace {

using dnnl::memory;

using Type = memory::data_type;

memory::desc matrix(std::int64_t rows, std::int64_t columns, std::int64_t stride, bool transposed,
                    Type type = Type::f32) {
  return {{rows, columns}, type, transposed ? memory::dims{1, stride} : memory::dims{stride, 1}};
}

/// A factor of a product, which points at the caller's data; in bfloat16 it is rounded to `rounded` first, since oneDNN
/// rounds float32 factors itself only where a processor has AMX.
struct Factor {
  Factor() = default;
  Factor(const dnnl::engine& engine, std::int64_t rows, std::int64_t columns, std::int64_t stride, bool transposed,
         bool rounds)
      : given(matrix(rows, columns, stride, transposed), engine, nullptr) {
    if (!rounds) return;
    rounded = memory(matrix(rows, columns, transposed ? rows : columns, transposed, Type::bf16), engine, nullptr);
    round = dnnl::reorder(given, rounded);
  }
  bool rounds() const { return static_cast<bool>(round); }
  memory& multiplied() { return rounds() ? rounded : given; }

  /// Points it at data; rounds that to room, which grows to hold it.
  void set(const float* data, std::vector<std::uint16_t>& room, dnnl::stream& stream) {
    // oneDNN's handles are not const-correct; factors are only read.
    given.set_data_handle(const_cast<float*>(data));
    if (!rounds()) return;
    const std::size_t elements = rounded.get_desc().get_size() / sizeof(std::uint16_t);
    if (room.size() < elements) room.resize(elements);
    rounded.set_data_handle(room.data());
    round.execute(stream, given, rounded);
  }

  memory given;
  memory rounded;
  dnnl::reorder round;
};

/// One built product with the memory objects that its calls point at their data.
struct Product {
  dnnl::matmul primitive;
  Factor a;
  Factor b;
  memory bias;
  memory c;
};

}  // namespace

struct Products::State {
  explicit State(Math with) : rounds(rounds_factors(with)) {}

  Product build(const ProductShape& shape) {
    Product product;
    product.a = Factor(engine, shape.m, shape.k, shape.a_stride, shape.transpose_a, rounds);
    product.b = Factor(engine, shape.k, shape.n, shape.b_stride, shape.transpose_b, rounds);
    const memory::desc c = matrix(shape.m, shape.n, shape.c_stride, false);
    const memory::desc bias = matrix(1, shape.n, shape.n, false);
    dnnl::primitive_attr attributes;
    if (shape.accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    product.primitive =
        dnnl::matmul(describe_matmul(engine, product.a.multiplied().get_desc(), product.b.multiplied().get_desc(),
                                     shape.biased ? &bias : nullptr, c, attributes));
    product.c = memory(c, engine, nullptr);
    if (shape.biased) product.bias = memory(bias, engine, nullptr);
    return product;
  }

  bool rounds;  // factors to bfloat16
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::map<ProductShape, Product> built;
  std::vector<std::uint16_t> room_a;  // bfloat16, of the largest factors so far
  std::vector<std::uint16_t> room_b;
};

Products::Products(Math math) : state_(std::make_unique<State>(math)) {}
Products::~Products() = default;

void Products::multiply(const ProductShape& shape, const float* a, const float* b, const float* bias, float* c) {
  auto found = state_->built.find(shape);
  if (found == state_->built.end()) found = state_->built.emplace(shape, state_->build(shape)).first;
  Product& product = found->second;
  product.a.set(a, state_->room_a, state_->stream);
  product.b.set(b, state_->room_b, state_->stream);
  product.c.set_data_handle(c);
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, product.a.multiplied()}, {DNNL_ARG_WEIGHTS, product.b.multiplied()}, {DNNL_ARG_DST, product.c}};
  if (shape.biased) {
    product.bias.set_data_handle(const_cast<float*>(bias));
    arguments.emplace(DNNL_ARG_BIAS, product.bias);
  }
  product.primitive.execute(state_->stream, arguments);
  state_->stream.wait();
}

bool rounds_factors(Math math) {
  if (math != Math::bf16) return false;
  const auto effective = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (effective & wanted) == wanted;
}

}  // namespace chainrule::model::products::onednn
