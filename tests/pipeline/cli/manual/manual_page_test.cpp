#include "pipeline/cli/manual/manual_page.h"

#include <gmock/gmock.h>

#include <vector>

namespace chainrule::tests {
namespace {

using pipeline::cli::CommandTable;
using pipeline::cli::manual::manual_page;
using testing::HasSubstr;
using testing::Not;

CommandTable table(std::string description) {
  CommandTable made;
  made.name = "weigh";
  made.summary = "say how heavy";
  made.usage = "chainrule weigh FILE\n       [--unit kg|lb]";
  made.description = std::move(description);
  made.groups = {{"Scales", {{"unit", 'u', "kg|lb", "kg", "of what is said"}, {"loud", '\0', "", "", "say \"it\""}}}};
  return made;
}

TEST(ManualPage, ShowsOptionsByGroup) {
  const std::string page = manual_page(table("Weighs."), "1.2");
  EXPECT_THAT(page, HasSubstr(".TH \"CHAINRULE\\-WEIGH\" 1 \"\" \"chainrule 1.2\""));
  EXPECT_THAT(page, HasSubstr("chainrule\\-weigh \\- say how heavy\n"));
  EXPECT_THAT(page, HasSubstr("chainrule weigh FILE\n[\\-\\-unit kg|lb]\n"));
  EXPECT_THAT(page, HasSubstr(".SS \"Scales\"\n.TP\n\\fB\\-u\\fR, \\fB\\-\\-unit\\fR \\fIkg|\\:lb\\fR (=kg)\n"
                              "of what is said\n.TP\n\\fB\\-\\-loud\\fR\nsay \\(dqit\\(dq\n"));
}

TEST(ManualPage, TextIsNoRequestAndNoEscape) {
  const std::string page = manual_page(table(".so /etc/passwd\n'ig\nC:\\new `x' ~^"), "1");
  EXPECT_THAT(page, HasSubstr("\n\\&.so /etc/passwd\n\\&\\(aqig\nC:\\(rsnew \\(gax\\(aq \\(ti\\(ha\n"));
  EXPECT_THAT(page, Not(HasSubstr("\n.so")));
}

TEST(ManualPage, ActionsShareAPage) {
  CommandTable both;
  both.name = "scales";
  both.actions = {table("Weighs."), table("Weighs twice.")};
  both.actions[1].name = "reweigh";
  const std::string page = manual_page(both, "1");
  EXPECT_THAT(page, HasSubstr(".SH \"weigh\"\nWeighs.\n.SS \"Scales\"\n"));
  EXPECT_THAT(page, HasSubstr(".SH \"reweigh\"\nWeighs twice.\n.SS \"Scales\"\n"));
}

TEST(ManualPage, OfTheProgramNamesCommandsAndExitCodes) {
  const std::vector<CommandTable> commands{table("Weighs.")};
  const std::string page = manual_page(commands, "1");
  EXPECT_THAT(page, HasSubstr("\\fBchainrule\\-weigh\\fR(1)\nsay how heavy\n"));
  EXPECT_THAT(page, HasSubstr("\\fB75\\fR\nstopped early"));
}

}  // namespace
}  // namespace chainrule::tests
