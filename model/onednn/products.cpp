#include "model/onednn/products.h"

#include <map>
#include <unordered_map>

#include "model/onednn/compatibility.h"

namespace chainrule::model::onednn {
namespace {

using dnnl::memory;

memory::desc matrix(std::int64_t rows, std::int64_t columns, std::int64_t stride, bool transposed) {
  return {{rows, columns}, memory::data_type::f32, transposed ? memory::dims{1, stride} : memory::dims{stride, 1}};
}

/// One built product with the memory objects that its calls point at their data.
struct Product {
  dnnl::matmul primitive;
  memory a;
  memory b;
  memory bias;
  memory c;
};

}  // namespace

struct Products::State {
  explicit State(Math with) : math(with) {}

  Product build(const ProductShape& shape) {
    const memory::desc a = matrix(shape.m, shape.k, shape.a_stride, shape.transpose_a);
    const memory::desc b = matrix(shape.k, shape.n, shape.b_stride, shape.transpose_b);
    const memory::desc c = matrix(shape.m, shape.n, shape.c_stride, false);
    const memory::desc bias = matrix(1, shape.n, shape.n, false);
    dnnl::primitive_attr attributes;
    if (shape.accumulate) {
      dnnl::post_ops sum;
      sum.append_sum(1.0F);
      attributes.set_post_ops(sum);
    }
    if (math == Math::bf16) attributes.set_fpmath_mode(dnnl::fpmath_mode::bf16);
    Product product;
    product.primitive = dnnl::matmul(describe_matmul(engine, a, b, shape.biased ? &bias : nullptr, c, attributes));
    product.a = memory(a, engine, nullptr);
    product.b = memory(b, engine, nullptr);
    product.c = memory(c, engine, nullptr);
    if (shape.biased) product.bias = memory(bias, engine, nullptr);
    return product;
  }

  Math math;
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::map<ProductShape, Product> built;
};

Products::Products(Math math) : state_(std::make_unique<State>(math)) {}
Products::~Products() = default;

void Products::multiply(const ProductShape& shape, const float* a, const float* b, const float* bias, float* c) {
  auto found = state_->built.find(shape);
  if (found == state_->built.end()) found = state_->built.emplace(shape, state_->build(shape)).first;
  Product& product = found->second;
  // oneDNN's handles are not const-correct; sources and weights are only read.
  product.a.set_data_handle(const_cast<float*>(a));
  product.b.set_data_handle(const_cast<float*>(b));
  product.c.set_data_handle(c);
  std::unordered_map<int, memory> arguments{
      {DNNL_ARG_SRC, product.a}, {DNNL_ARG_WEIGHTS, product.b}, {DNNL_ARG_DST, product.c}};
  if (shape.biased) {
    product.bias.set_data_handle(const_cast<float*>(bias));
    arguments.emplace(DNNL_ARG_BIAS, product.bias);
  }
  product.primitive.execute(state_->stream, arguments);
  state_->stream.wait();
}

bool has_fast_bf16() {
  const auto effective = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (effective & wanted) == wanted;
}

}  // namespace chainrule::model::onednn
