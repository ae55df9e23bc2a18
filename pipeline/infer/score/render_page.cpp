#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "pipeline/infer/score/render.h"
#include "pipeline/show/heat.h"
#include "pipeline/show/heat_markup.h"
#include "pipeline/show/legible.h"
#include "pipeline/show/markup.h"
#include "pipeline/show/percent.h"

namespace chainrule::pipeline::infer::score {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --page: #fafaf7; --card: #ffffff; --ink: #1d2129; --soft: #667080; --line: #e3e5e0; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14161b; --card: #1b1e25; --ink: #e7e9ee; --soft: #98a2b3; --line: #2c313b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); line-height: 1.5;
  font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; letter-spacing: -.01em; }
.from { color: var(--soft); margin: 0 0 1.75rem; font-size: .875rem; overflow-wrap: anywhere; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 0 0 1.75rem; }
.totals div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.totals dt { color: var(--soft); font-size: .8rem; }
.totals dd { margin: .1rem 0 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.totals small { display: block; color: var(--soft); font-size: .8rem; min-height: 1.2rem; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .6rem; color: var(--soft); font-size: .8rem;
  margin-bottom: .6rem; }
.legend i { display: inline-block; width: 1.15rem; height: .8rem; }
.legend span { display: inline-flex; border: 1px solid var(--line); border-radius: .25rem; overflow: hidden; }
.text { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.25rem;
  white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.9; tab-size: 4;
  font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .92rem; }
.text b { font-weight: inherit; border-radius: .2rem; padding: .12rem 0; cursor: default; }
.text b:hover, .text b.on { outline: 2px solid var(--ink); outline-offset: 1px; }
.text u { text-decoration: none; opacity: .45; }
#card { position: fixed; z-index: 2; display: none; pointer-events: none; background: var(--ink); color: var(--page);
  border-radius: .5rem; padding: .6rem .8rem; font-size: .82rem; box-shadow: 0 6px 24px #0005; max-width: 20rem; }
#card strong { display: block; font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: .95rem; overflow-wrap: anywhere; margin-bottom: .25rem; }
#card table { border-spacing: 0; } #card td { padding: 0 .9rem 0 0; font-variant-numeric: tabular-nums; }
#card td:first-child { opacity: .7; }
details { margin-top: 1.75rem; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
.scroll { overflow-x: auto; }
.factors { border-collapse: collapse; margin-top: .75rem; font-size: .85rem; width: 100%; }
.factors th { text-align: right; color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--line); }
.factors th, .factors td { padding: .2rem .8rem .2rem 0; white-space: nowrap; }
.factors td { text-align: right; font-variant-numeric: tabular-nums; }
.factors th.t { text-align: left; } .factors td.t { text-align: left; font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
)";

// The numbers of a token are those of its row in the table; without scripts the table alone shows them.
constexpr std::string_view kScript = R"(
const card = document.getElementById('card'), rows = document.querySelectorAll('.factors tbody tr');
const names = ['probability', 'nats', 'bits', 'rank', 'log p so far', 'likeliest'];
let shown = null;
function show(event) {
  const token = event.target.closest('.text b');
  if (shown) shown.classList.remove('on');
  shown = token;
  if (!token) { card.style.display = 'none'; return; }
  token.classList.add('on');
  const cells = rows[token.dataset.i].cells;
  const table = document.createElement('table'), title = document.createElement('strong');
  title.textContent = cells[1].textContent;
  names.forEach((name, n) => {
    const row = table.insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = cells[n + 2].textContent || (name === 'likeliest' && cells[3].textContent ? 'this one' : '');
  });
  card.replaceChildren(title, table);
  card.style.display = 'block';
  const at = token.getClientRects()[0], size = card.getBoundingClientRect();
  const below = at.bottom + 8 + size.height < innerHeight;
  card.style.left = Math.max(8, Math.min(at.left, innerWidth - size.width - 8)) + 'px';
  card.style.top = (below ? at.bottom + 8 : Math.max(8, at.top - size.height - 8)) + 'px';
}
document.addEventListener('mouseover', show);
document.addEventListener('click', show);
document.addEventListener('scroll', () => show({target: document.body}), {passive: true});
)";

std::string total(std::string_view name, const std::string& value, const std::string& unit) {
  return fmt::format("<div><dt>{}</dt><dd>{} <small>{}</small></dd></div>\n", name, value, unit);
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : "not finite"; }

std::string factor_row(std::size_t index, const TokenScore& token) {
  const model::sampling::Factor& factor = token.factor;
  const std::string name = show::escape_markup(show::legible(token.bytes));
  if (!std::isfinite(factor.nll_nats)) {
    return fmt::format(
        "<tr><td>{}</td><td class=\"t\">{}</td><td>not finite</td><td></td><td></td><td></td><td></td>"
        "<td class=\"t\"></td></tr>\n",
        index + 1, name);
  }
  const std::string likeliest = show::percent(std::exp(-factor.likeliest_nll_nats));
  const std::string instead =
      factor.rank == 1 ? "" : fmt::format("{}  {}", likeliest, show::legible(token.likeliest_bytes));
  return fmt::format(
      "<tr><td>{}</td><td class=\"t\">{}</td><td>{}</td><td>{:.4f}</td><td>{:.3f}</td><td>{}</td><td>{:.4f}</td>"
      "<td class=\"t\">{}</td></tr>\n",
      index + 1, name, show::percent(std::exp(-factor.nll_nats)), factor.nll_nats, factor.nll_nats / std::numbers::ln2,
      factor.rank, token.log_probability_so_far_nats, show::escape_markup(instead));
}

}  // namespace

std::string render_page(const TextScore& score, const models::LoadedModel& model) {
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>How probable is this "
      "text?</title>\n"
      "<style>{}{}\n@media (prefers-color-scheme: dark) {{{}}}\n</style>\n</head>\n<body>\n<main>\n",
      kStyle, show::heat_rules(show::HeatRamp::page_light), show::heat_rules(show::HeatRamp::page_dark));
  page += fmt::format(
      "<h1>How probable is this text?</h1>\n<p class=\"from\">Each token on the colour of its surprise given "
      "the text before it.<br>Model {}, step {}, weights {}</p>\n",
      show::escape_markup(show::valid_utf8(model.folder.string())), model.step, model.weights_hash.substr(0, 12));
  page += "<dl class=\"totals\">\n" + total("log-likelihood", number(score.log_likelihood_nats), "nats") +
          total("cross-entropy", number(score.cross_entropy_nats), "nats a token") +
          total("perplexity", number(score.perplexity), "") + total("bits per byte", number(score.bits_per_byte), "") +
          total("tokens", fmt::format("{}", score.tokens.size()), fmt::format("of {} bytes", score.text_bytes)) +
          "</dl>\n";
  if (score.windows > 1) {
    page += fmt::format(
        "<p class=\"from\">The text is longer than the model's context of {} tokens: it was read in {} "
        "overlapping windows.</p>\n",
        score.context_length, score.windows);
  }
  page += "<div class=\"legend\">surprise in bits: 0 <span>";
  for (int level = 0; level < show::kHeatLevels; ++level) page += fmt::format("<i class=\"h{}\"></i>", level);
  page += fmt::format("</span> {} and more</div>\n<div class=\"text\">", show::kHeatLevels - 1);
  for (std::size_t i = 0; i < score.tokens.size(); ++i) {
    page += fmt::format("<b class=\"h{}\" data-i=\"{}\">{}</b>", show::heat_level(score.tokens[i].factor.nll_nats), i,
                        show::heat_text(score.tokens[i].bytes));
  }
  page +=
      "</div>\n<details>\n<summary>Every factor</summary>\n<div class=\"scroll\"><table "
      "class=\"factors\">\n<thead><tr><th>"
      "</th><th class=\"t\">token</th><th>probability</th><th>nats</th><th>bits</th><th>rank</th><th>log p so far</th>"
      "<th class=\"t\">likeliest instead</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < score.tokens.size(); ++i) page += factor_row(i, score.tokens[i]);
  return page + fmt::format(
                    "</tbody>\n</table></div>\n</details>\n</main>\n<div id=\"card\"></div>\n<script>{}</script>\n"
                    "</body>\n</html>\n",
                    kScript);
}

}  // namespace chainrule::pipeline::infer::score
