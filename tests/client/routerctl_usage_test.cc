#include "client_lib/routerctl/usage_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_lib/routerctl/text.h"

namespace requestrouter::routerctl {
namespace {

using ipc::Value;
using ::testing::HasSubstr;

Value Row(const char* key, int requests, int tokens) {
  return {{"key", key},         {"requests", requests}, {"errors", 0},    {"input_tokens", tokens},
          {"output_tokens", 0}, {"cached_tokens", 0},   {"cost_usd", 0.5}};
}

Value RowOfDay(const char* key, const char* day, int tokens) {
  Value row = Row(key, 1, tokens);
  row["day"] = day;
  return row;
}

UsageView View(const char* since, const char* until) {
  UsageView view;
  view.since = *ParseTime(since);
  view.until = *ParseTime(until);
  view.utf8 = true;
  return view;
}

const UsageView kFourDays = View("2026-01-29T12:00:00Z", "2026-02-01T12:00:00Z");

TEST(UsageTable, ShowsThePartOfEachRowAndItsDays) {
  const Value rows = {Row("a", 2, 300), Row("b", 1, 100)};
  const Value daily = {RowOfDay("a", "2026-01-29", 100), RowOfDay("a", "2026-02-01", 200),
                       RowOfDay("b", "2026-01-30", 100)};
  const std::string table = UsageTable(kFourDays, rows, daily);
  EXPECT_THAT(table, HasSubstr("SHARE OF TOKENS  TOKENS BY DAY\n"));
  EXPECT_THAT(table, HasSubstr("████████░░  75%  ▄··█\n"));
  EXPECT_THAT(table, HasSubstr("███░░░░░░░  25%  ·█··\n"));
  EXPECT_THAT(table, HasSubstr("▄▄·█\n")) << "all of them together";
}

TEST(UsageTable, IsOfRequestsWhereThereWereNoTokens) {
  const std::string table = UsageTable(kFourDays, {Row("a", 3, 0), Row("b", 1, 0)}, nullptr);
  EXPECT_THAT(table, HasSubstr("SHARE OF REQUESTS\n"));
  EXPECT_THAT(table, HasSubstr("  75%\n"));
}

TEST(UsageTable, OfNothingButErrorsDividesByNothing) {
  EXPECT_THAT(UsageTable(kFourDays, Value::array({Row("a", 0, 0)}), nullptr),
              HasSubstr("░░░░░░░░░░   0%\n"));
}

TEST(UsageTable, ShowsTheLastThirtyDaysOfALongPeriod) {
  const UsageView view = View("2025-01-01T00:00:00Z", "2026-01-31T00:00:00Z");
  const Value daily = {RowOfDay("a", "2025-12-31", 9), RowOfDay("a", "2026-01-01", 100),
                       RowOfDay("a", "2026-01-30", 100)};
  std::string line = "█";
  for (int i = 0; i < 28; ++i) line += "·";
  EXPECT_THAT(UsageTable(view, Value::array({Row("a", 3, 209)}), daily),
              HasSubstr("100%  " + line + "█\n"));
}

TEST(ManyDays, AreThoseOfMoreThanOneDateInRowsThatAreNoneThemselves) {
  const Value rows = Value::array({Row("a", 1, 1)});
  EXPECT_TRUE(ManyDays(kFourDays, rows));
  EXPECT_FALSE(ManyDays(kFourDays, Value::array({RowOfDay("a", "2026-01-29", 1)})));
  EXPECT_FALSE(ManyDays(View("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"), rows));
  EXPECT_TRUE(ManyDays(View("2026-01-01T00:00:00Z", "2026-01-02T00:00:01Z"), rows));
}

TEST(UsagePeriod, SaysFromWhenToWhen) {
  EXPECT_EQ(UsagePeriod(kFourDays, kFourDays.until), "from 2026-01-29 12:00 UTC until now");
  EXPECT_EQ(UsagePeriod(kFourDays, kFourDays.until + std::chrono::hours(1)),
            "from 2026-01-29 12:00 to 2026-02-01 12:00 UTC");
}

}  // namespace
}  // namespace requestrouter::routerctl
