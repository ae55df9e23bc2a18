#include "pipeline/show/chart/line_chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace chainrule::pipeline::show::chart {
namespace {

using testing::HasSubstr;
using testing::Not;

LineChart chart_of(std::vector<Curve> curves) {
  LineChart chart;
  chart.x_name = "step";
  chart.y_name = "nats";
  chart.x_most = 10;
  chart.curves = std::move(curves);
  return chart;
}

TEST(LineChart, TextsAreEscaped) {
  LineChart chart = chart_of({{"<b>", 0, {{1, 2, 2, 2, false}, {2, 3, 3, 3, false}}}});
  chart.what = "a \"b\"";
  chart.y_name = "<nats>";
  chart.crosses = {{3, 0, "x<y"}};
  const std::string svg = to_svg(chart);
  EXPECT_THAT(svg, HasSubstr("&lt;b&gt;"));
  EXPECT_THAT(svg, HasSubstr("&lt;nats&gt;"));
  EXPECT_THAT(svg, HasSubstr("a &quot;b&quot;"));
  EXPECT_THAT(svg, HasSubstr("x&lt;y"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
}

TEST(LineChart, AGapBreaksTheLine) {
  const std::string svg = to_svg(chart_of({{"a", 0, {{1, 2, 2, 2, false}, {2, 3, 3, 3, false}, {5, 3, 3, 3, true}}}}));
  const std::size_t at = svg.find("class=\"line");
  const std::string path = svg.substr(at, svg.find("</path>", at) - at);
  EXPECT_EQ(std::count(path.begin(), path.end(), 'M'), 2) << path;
}

TEST(LineChart, ABandIsDrawnWherePointsStandForSeveral) {
  EXPECT_THAT(to_svg(chart_of({{"a", 0, {{1, 2, 2, 2, false}, {2, 3, 3, 3, false}}}})), Not(HasSubstr("band")));
  EXPECT_THAT(to_svg(chart_of({{"a", 0, {{1, 2, 1, 4, false}, {2, 3, 3, 3, false}}}})), HasSubstr("band"));
}

TEST(LineChart, NothingIsSaid) {
  EXPECT_THAT(to_svg(chart_of({})), HasSubstr("No finite value"));
  EXPECT_THAT(to_svg(chart_of({{"a", 0, {}}})), HasSubstr("No finite value"));
}

TEST(LineChart, NoTwoLooksAreTheSameWithoutColour) {
  std::set<std::string> seen;
  for (int look = 0; look < kLooks; ++look) {
    std::string sample = legend_svg(look);
    for (std::size_t at = sample.find(" c"); at != std::string::npos; at = sample.find(" c", at + 1)) {
      if (std::isdigit(static_cast<unsigned char>(sample[at + 2])) != 0) sample.erase(at, 3);
    }
    for (std::size_t at = sample.find(" d"); at != std::string::npos; at = sample.find(" d", at + 1)) {
      if (std::isdigit(static_cast<unsigned char>(sample[at + 2])) != 0) sample.erase(at, look < 10 ? 3 : 4);
    }
    EXPECT_TRUE(seen.insert(sample).second) << look;
  }
}

}  // namespace
}  // namespace chainrule::pipeline::show::chart
