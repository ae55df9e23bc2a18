#include "pipeline/infer/generate/sample_json.h"

#include <nlohmann/json.hpp>

#include "io/files/json_text.h"
#include "pipeline/show/legible.h"

namespace chainrule::pipeline::infer::generate {

std::string json_line(const Sample& sample, const Prompt& prompt) {
  nlohmann::ordered_json line = {{"prompt_index", sample.prompt}};
  if (!prompt.id.is_null()) line["id"] = prompt.id;
  line["sample"] = sample.sample;
  line["prompt"] = show::valid_utf8(prompt.text);
  line["text"] = show::valid_utf8(sample.text);
  line["finish"] = name_of(sample.finish);
  line["token_ids"] = sample.tokens;
  line["nll_nats"] = sample.nll_nats;
  line["slides"] = sample.slides;
  return io::files::json_text(line) + "\n";
}

}  // namespace chainrule::pipeline::infer::generate
