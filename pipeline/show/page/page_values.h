#pragma once
#include <initializer_list>
#include <kainjow/mustache.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the pages' templates are filled with.
namespace chainrule::pipeline::show::page {

/// An object of texts.
kainjow::mustache::data object(std::initializer_list<std::pair<const char*, std::string>> members);

/// Names and values as rows of a table of facts.
kainjow::mustache::list facts_list(const std::vector<std::pair<std::string, std::string>>& facts);

/// A number in a box of its own.
kainjow::mustache::data total(const std::string& name, const std::string& value, const std::string& unit);

/// "-" where there is no value.
std::string fixed(const std::optional<double>& value, int digits);
std::string perplexity_text(const std::optional<double>& value);

/// Names and values come from files: valid UTF-8 without control characters; templates escape the rest.
std::string safe(const std::string& text);

/// The page; a stylesheet for all pages is `style` in it.
std::string fill_in(std::string_view shape, kainjow::mustache::data page);

}  // namespace chainrule::pipeline::show::page
