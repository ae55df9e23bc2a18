#include "pipeline/cli/manual/bash_completion.h"

#include <gmock/gmock.h>

#include <vector>

namespace chainrule::tests {
namespace {

using pipeline::cli::CommandTable;
using pipeline::cli::manual::bash_completion;
using testing::HasSubstr;
using testing::Not;

TEST(BashCompletion, AValueIsCompletedAsItsNameSays) {
  CommandTable weigh;
  weigh.name = "weigh";
  weigh.nameless = "file";
  weigh.groups = {{"",
                   {{"unit", '\0', "kg|lb", "", ""},
                    {"file", '\0', "PATH...", "", ""},
                    {"into", '\0', "DIR", "", ""},
                    {"times", '\0', "N", "", ""},
                    {"loud", '\0', "", "", ""}}}};
  CommandTable scales;
  scales.name = "scales";
  scales.actions = {weigh};
  const std::vector<CommandTable> commands{weigh, scales};
  const std::string script = bash_completion(commands);
  EXPECT_THAT(script, HasSubstr("'') words='weigh scales --help --version' ;;\n"));
  EXPECT_THAT(script, HasSubstr("'weigh') words='--unit --file --into --times --loud' ;;\n"));
  EXPECT_THAT(script, HasSubstr("'scales') words='weigh --help' ;;\n"));
  EXPECT_THAT(script, HasSubstr("'scales weigh --unit') values='kg lb' ;;\n"));
  EXPECT_THAT(script, HasSubstr("'weigh --file' | 'weigh ') values='@files @many' ;;\n"));
  EXPECT_THAT(script, HasSubstr("'weigh --into') values='@folders' ;;\n"));
  EXPECT_THAT(script, HasSubstr("'weigh --times') values='@other' ;;\n"));
  EXPECT_THAT(script, Not(HasSubstr("--loud')")));
}

}  // namespace
}  // namespace chainrule::tests
