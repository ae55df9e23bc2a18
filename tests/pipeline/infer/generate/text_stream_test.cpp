#include "pipeline/infer/generate/text_stream.h"

#include <gtest/gtest.h>

namespace chainrule::pipeline::infer::generate {
namespace {

TEST(TextStream, CharactersComeWhole) {
  TextStream stream({});
  EXPECT_EQ(stream.push("a\xe2"), "a");
  EXPECT_EQ(stream.push("\x82"), "");
  EXPECT_EQ(stream.push("\xac!"), "€!");
  EXPECT_EQ(stream.push("\xf0\x9f"), "");
  EXPECT_EQ(stream.finish(), "\xf0\x9f");  // the sample ended in the middle of one
  EXPECT_EQ(stream.text(), "a€!\xf0\x9f");
}

TEST(TextStream, AStopTextEndsTheSampleAndIsNotPartOfIt) {
  TextStream stream({"END", "\n\n"});
  EXPECT_EQ(stream.push("one E"), "one ");
  EXPECT_EQ(stream.push("N"), "");
  EXPECT_EQ(stream.push("E\n"), "ENE");
  EXPECT_FALSE(stream.stopped());
  EXPECT_EQ(stream.push("E"), "\n");
  EXPECT_EQ(stream.push("ND of it"), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.push("more"), "");
  EXPECT_EQ(stream.text(), "one ENE\n");
}

TEST(TextStream, WhatLookedLikeAStopTextComesInTheEnd) {
  TextStream stream({"abcd"});
  EXPECT_EQ(stream.push("xab"), "x");
  EXPECT_EQ(stream.push("c"), "");
  EXPECT_EQ(stream.finish(), "abc");
  EXPECT_FALSE(stream.stopped());
}

TEST(TextStream, TheEarliestOfSeveralStopTextsCounts) {
  TextStream stream({"late", "rly"});
  EXPECT_EQ(stream.push("early or late"), "ea");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.finish(), "");
  EXPECT_EQ(stream.text(), "ea");
}

TEST(TextStream, AStopTextThatOverlapsItself) {
  TextStream stream({"aab"});
  EXPECT_EQ(stream.push("aa"), "");
  EXPECT_EQ(stream.push("a"), "a");
  EXPECT_EQ(stream.push("b"), "");
  EXPECT_TRUE(stream.stopped());
  EXPECT_EQ(stream.text(), "a");
}

}  // namespace
}  // namespace chainrule::pipeline::infer::generate
