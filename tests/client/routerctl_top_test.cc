#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_lib/routerctl/bar.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/routerctl/top_view.h"

namespace requestrouter::routerctl {
namespace {

using ipc::Value;
using ::testing::HasSubstr;
using ::testing::Not;

Value Key(const std::string& id, const std::string& state, int used) {
  const Value counter = {{"used", used}, {"limit", 10}};
  return {
      {"key_id", id},   {"active", true},
      {"state", state}, {"models", {"m"}},
      {"in_flight", 0}, {"usage", {{"m", {{"rpm", counter}, {"tpm", counter}, {"rpd", counter}}}}}};
}

Snapshot Busy() {
  Snapshot snapshot;
  snapshot.health = {{"healthy", true},
                     {"version", "0.1.0"},
                     {"uptime_ms", 60'000},
                     {"timestamp", "2026-01-31T12:00:10.000Z"},
                     {"storage", {{"healthy", true}}}};
  Value cooling = Key("b", "cooling", 9);
  cooling["cooldown"] = {{"remaining_ms", 80'000}, {"reason", "rate_limited"}};
  snapshot.keys = {{"keys", {Key("a", "ready", 5), cooling, Key("c", "disabled", 0)}}};
  snapshot.queue = {
      {"waiting", {{{"id", "r3"}, {"caller", "uid 7 (ada)"}, {"position", 1}, {"eta_ms", 4'000}}}},
      {"in_flight", {{{"id", "r2"}, {"caller", "uid 7 (ada)"}, {"key_id", "a"}, {"model", "m"}}}},
      {"recent",
       {{{"id", "r1"},
         {"caller", "uid 8 (bob)"},
         {"state", "answered"},
         {"ended_at", "2026-01-31T12:00:00.000Z"},
         {"total_ms", 1'500},
         {"attempts", 1}}}}};
  return snapshot;
}

std::string TextOf(const std::vector<ScreenLine>& lines) {
  std::string text;
  for (const ScreenLine& line : lines) text += line.text + "\n";
  return text;
}

std::vector<std::string> OrderOf(KeyOrder order) {
  std::vector<std::string> ids;
  for (const Value& key : SortedKeys(Busy(), order)) ids.push_back(key.at("key_id"));
  return ids;
}

TEST(Bar, ShowsSomethingForAnythingAndIsFullOnlyForAll) {
  EXPECT_EQ(Bar(0, 4, false), "....");
  EXPECT_EQ(Bar(0.01, 4, false), "#...");
  EXPECT_EQ(Bar(0.5, 4, false), "##..");
  EXPECT_EQ(Bar(0.99, 4, false), "###.");
  EXPECT_EQ(Bar(1, 4, false), "####");
  EXPECT_EQ(Bar(1.5, 4, false), "####");
  EXPECT_EQ(Bar(0.5, 2, true), "█░");
  EXPECT_EQ(Bar(0.5, 0, true), "");
}

TEST(Bar, ASparklineIsAsHighAsTheGreatestValue) {
  EXPECT_EQ(Sparkline({0, 1, 4, 8}, true), "·▁▄█");
  EXPECT_EQ(Sparkline({0, 0}, true), "··");
  EXPECT_EQ(Sparkline({}, true), "");
  EXPECT_EQ(Sparkline({0, 1, 4, 8}, false), "_.=@");
}

TEST(Bar, ATextIsCutAtColumnsAndNotWithinACharacter) {
  EXPECT_EQ(Cut("abcd", 4, true), "abcd");
  EXPECT_EQ(Cut("abcde", 4, true), "abc…");
  EXPECT_EQ(Cut("abcde", 4, false), "abc~");
  EXPECT_EQ(Cut("漢字漢", 4, true), "漢…");
  EXPECT_EQ(Cut("abc", 0, true), "");
}

TEST(TopView, NoLineIsWiderAndNoPictureHigherThanTheScreen) {
  for (const std::size_t columns : {1, 2, 20, 79, 80, 100, 130, 300}) {
    for (const std::size_t rows : {0, 1, 2, 3, 5, 10, 13, 14, 24, 60}) {
      for (const bool help : {false, true}) {
        View view;
        view.help = help;
        const auto lines = Render(Busy(), view, {columns, rows});
        EXPECT_EQ(lines.size(), rows);
        for (const ScreenLine& line : lines) EXPECT_LE(Width(line.text), columns) << line.text;
      }
    }
  }
}

TEST(TopView, AnOrdinaryScreenShowsKeysQueueCallersAndRequests) {
  const std::string text = TextOf(Render(Busy(), {}, {120, 40}));
  for (const char* part :
       {"healthy  routerd 0.1.0, up 1m", "cooling 1m 20s", "rate_limited", "WAITING 1", "CALLERS 2",
        "uid 7 (ada)", "in flight", "10s ago", "r1", "5/10 ███░░", "? help"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(TopView, ASmallScreenShowsTheKeysAloneAndTheSelectedOneAmongThem) {
  View view;
  view.selected = "c";
  const auto lines = Render(Busy(), view, {80, 5});
  const std::string text = TextOf(lines);
  EXPECT_THAT(text, HasSubstr("disabled"));
  EXPECT_THAT(text, Not(HasSubstr("WAITING")));
  EXPECT_TRUE(lines[3].selected);
}

TEST(TopView, WithoutADaemonItSaysSoAndKeepsWhatWasKnown) {
  Snapshot snapshot = Busy();
  snapshot.trouble = "no daemon: gone";
  const auto lines = Render(snapshot, {}, {80, 24});
  EXPECT_EQ(lines.front().text, "no daemon: gone");
  EXPECT_THAT(TextOf(lines), HasSubstr("cooling"));
  EXPECT_EQ(TextOf(Render({{}, {}, {}, "no daemon"}, {}, {80, {}})), "no daemon\n");
}

TEST(TopView, WithoutUtf8ItIsAllAscii) {
  Snapshot snapshot = Busy();
  snapshot.keys["keys"][0]["key_id"] = "schlüssel";
  View view;
  view.utf8 = false;
  const std::string text = TextOf(Render(snapshot, view, {120, 40}));
  EXPECT_THAT(text, HasSubstr("schl?ssel"));
  EXPECT_THAT(text, HasSubstr("5/10 ###.."));
  for (const char byte : text) EXPECT_LT(static_cast<unsigned char>(byte), 0x80);
}

TEST(TopView, KeysAreSortedAsAsked) {
  using Ids = std::vector<std::string>;
  EXPECT_EQ(OrderOf(KeyOrder::kConfigured), (Ids{"a", "b", "c"}));
  EXPECT_EQ(OrderOf(KeyOrder::kState), (Ids{"c", "b", "a"}));
  EXPECT_EQ(OrderOf(KeyOrder::kUse), (Ids{"b", "a", "c"}));
}

TEST(TopView, ALimitOfAnotherKindIsShownAndCountsAsUse) {
  Snapshot snapshot = Busy();
  EXPECT_THAT(TextOf(Render(snapshot, View{}, {160, 40})), Not(HasSubstr("OTPM")));
  snapshot.keys["keys"][2]["usage"]["m"]["otpm"] = {{"used", 99}, {"limit", 100}};
  const std::string text = TextOf(Render(snapshot, View{}, {160, 40}));
  EXPECT_THAT(text, HasSubstr("OTPM"));
  EXPECT_THAT(text, HasSubstr("99/100"));
  EXPECT_EQ(SortedKeys(snapshot, KeyOrder::kUse).front(), snapshot.keys["keys"][2]);
}

TEST(TopView, WhatOthersWroteCannotSteerTheTerminal) {
  Snapshot snapshot = Busy();
  snapshot.queue["waiting"][0]["id"] = "\033[2J";
  EXPECT_THAT(TextOf(Render(snapshot, {}, {200, 40})), Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace requestrouter::routerctl
