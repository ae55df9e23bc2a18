#include "pipeline/job/number_list.h"

#include <gtest/gtest.h>

#include <vector>

namespace chainrule::tests {
namespace {

using pipeline::job::number_list;
using pipeline::job::number_list_of_both;

TEST(NumberList, RunsBecomeRanges) {
  EXPECT_EQ(number_list(std::vector<int>{}), "");
  EXPECT_EQ(number_list(std::vector<int>{7}), "7");
  EXPECT_EQ(number_list(std::vector<int>{0, 1, 2, 8, 10, 11}), "0-2,8,10-11");
}

TEST(NumberList, BothTogether) {
  EXPECT_EQ(number_list_of_both("0-3", "4-7"), "0-7");
  EXPECT_EQ(number_list_of_both("0,2,4", "1-3,64"), "0-4,64");
  EXPECT_EQ(number_list_of_both("0-3", "0-3"), "0-3");
  EXPECT_EQ(number_list_of_both("", "5"), "5");
  EXPECT_EQ(number_list_of_both("3-1", "x"), "");
  EXPECT_EQ(number_list_of_both("1,", "2-"), "1");
  EXPECT_EQ(number_list_of_both("99999999999", "1-99999999"), "");
}

}  // namespace
}  // namespace chainrule::tests
