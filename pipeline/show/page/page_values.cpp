#include "pipeline/show/page/page_values.h"

#include <fmt/format.h>

#include <stdexcept>

#include "pipeline/show/legible.h"
#include "pipeline/show/page/page_style.h"

namespace chainrule::pipeline::show::page {

using kainjow::mustache::data;

data object(std::initializer_list<std::pair<const char*, std::string>> members) {
  data made;
  for (const auto& [name, value] : members) made.set(name, value);
  return made;
}

kainjow::mustache::list facts_list(const std::vector<std::pair<std::string, std::string>>& facts) {
  kainjow::mustache::list rows;
  for (const auto& [name, value] : facts) rows.push_back(object({{"name", safe(name)}, {"value", safe(value)}}));
  return rows;
}

data total(const std::string& name, const std::string& value, const std::string& unit) {
  return object({{"name", name}, {"value", value}, {"unit", unit}});
}

std::string fixed(const std::optional<double>& value, int digits) {
  return value ? fmt::format("{:.{}f}", *value, digits) : std::string("-");
}

std::string perplexity_text(const std::optional<double>& value) {
  if (!value) return "not defined";
  return *value < 1e7 ? fmt::format("{:.2f}", *value) : fmt::format("{:.3e}", *value);
}

std::string safe(const std::string& text) { return without_controls(text); }

std::string fill_in(std::string_view shape, data page) {
  page.set("style", std::string(kPageStyle));
  kainjow::mustache::mustache filled{std::string(shape)};
  if (!filled.is_valid()) throw std::logic_error("the page's template: " + filled.error_message());
  return filled.render(page);
}

}  // namespace chainrule::pipeline::show::page
