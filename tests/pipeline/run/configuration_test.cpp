// One grammar for --config and config.cfg: what is written reads back as itself.
#include "pipeline/run/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.h"

namespace chainrule::pipeline::run {
namespace {

TEST(Configuration, ReadsBackWhateverWasWritten) {
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  for (const std::string& value :
       {std::string("plain"), std::string("two words = and more"), std::string("a#b"), std::string("a # b"),
        std::string("#"), std::string(" led by a space"), std::string("trailing\t"), std::string("line\nfeed"),
        std::string("\"quoted\""), std::string("back\\slash\\n"), std::string(), std::string("\xff\xfe"),
        std::string("nul\0inside", 10), every_byte}) {
    const Configuration written = {{"data", value}, {"steps", "10"}};
    EXPECT_EQ(parse_configuration(to_text(written), "x"), written) << to_text(written);
  }
}

TEST(Configuration, LeavesPlainValuesPlain) {
  EXPECT_EQ(to_text({{"learning-rate", "6e-4"}, {"data", "a folder/x=y"}}),
            "learning-rate = 6e-4\ndata = a folder/x=y\n");
}

TEST(Configuration, TakesCommentsBlankLinesAndWhatEditorsLeave) {
  const Configuration expected = {{"a", "1"}, {"b", "x#y"}, {"c", "quoted # text"}, {"a", "2"}};
  EXPECT_EQ(parse_configuration("# heading\n\n  a = 1   # one\r\nb=x#y\n\tc = \"quoted # text\" # why\na = 2", "x"),
            expected);
}

TEST(Configuration, NamesFileAndLineOfWhatItCannotRead) {
  for (const auto& [text, why] :
       {std::pair("a = 1\nsteps 10\n", "'run.cfg', line 2: there is no 'name = value'"),
        std::pair("= 1\n", "'run.cfg', line 1: its name"), std::pair("a = \"open\n", "line 1: a quote is not closed"),
        std::pair("a = \"x\" y\n", "line 1: something follows"), std::pair("a = \"\\q\"\n", "line 1: a backslash"),
        std::pair("a = \"\\x4\"\n", "line 1: a backslash")}) {
    try {
      parse_configuration(text, "run.cfg");
      ADD_FAILURE() << text;
    } catch (const io::Error& error) {
      EXPECT_EQ(error.kind(), io::ErrorKind::bad_data);
      EXPECT_THAT(error.what(), testing::HasSubstr(why));
    }
  }
}

}  // namespace
}  // namespace chainrule::pipeline::run
