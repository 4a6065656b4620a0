#include <gtest/gtest.h>

#include "tests/policy/support.h"

// Where requests stand, and what models there are.
namespace requestrouter::policy {
namespace {

TEST(Standing, OnlyWhoWaitsHasOne) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  const auto in_flight = host.last_ticket;
  ASSERT_EQ(host.Send("flash"), "");
  EXPECT_TRUE(host.dispatcher.IsWaiting(host.last_ticket));
  EXPECT_EQ(host.dispatcher.StandingOf(host.last_ticket, host.now)->position, 1U);
  for (const std::uint64_t other : {in_flight, std::uint64_t{99}}) {
    EXPECT_FALSE(host.dispatcher.IsWaiting(other));
    EXPECT_FALSE(host.dispatcher.StandingOf(other, host.now));
  }
}

TEST(Standing, HasNoEtaWhereNoInstantIsKnown) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  ASSERT_EQ(host.Send("flash"), "a");
  ASSERT_EQ(host.Send("flash"), "");
  EXPECT_EQ(host.dispatcher.StandingOf(host.last_ticket, host.now)->eta, seconds(60));
  host.dispatcher.SetEnabled("a", false, host.now);
  const auto standing = host.dispatcher.StandingOf(host.last_ticket, host.now);
  EXPECT_EQ(standing->position, 1U);
  EXPECT_EQ(standing->eta, std::nullopt);
}

TEST(Standing, OfWhoWaitsForAModelThatIsGoneHasNoEtaAndHoldsUpNobody) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1)), KeyFor("b", "pro", Rpm(1))}));
  for (const char* model : {"flash", "pro"}) {
    ASSERT_NE(host.Send(model), "");
    ASSERT_EQ(host.Send(model), "");
  }
  const std::uint64_t for_flash = 2, for_pro = 4;
  host.dispatcher.Configure(ConfigOf({KeyFor("b", "pro", Rpm(1))}), host.now);
  EXPECT_EQ(host.dispatcher.StandingOf(for_flash, host.now)->eta, std::nullopt);
  EXPECT_EQ(host.dispatcher.StandingOf(for_flash, host.now)->position, 1U);
  EXPECT_EQ(host.dispatcher.StandingOf(for_pro, host.now)->eta, seconds(60));
  EXPECT_EQ(host.dispatcher.StandingOf(for_pro, host.now)->position, 1U);
}

// A host whose keys are all used up, with one request that waits.
struct FullHost : Host {
  explicit FullHost(int count) : Host(ConfigOf(Keys(count))) {
    for (int i = 0; i < count; ++i) EXPECT_NE(SendAndSucceed("flash"), "");
    EXPECT_EQ(Send("flash"), "");
    EXPECT_EQ(Eta(), seconds(60));
  }
  static std::vector<KeySpec> Keys(int count) {
    std::vector<KeySpec> keys;
    for (int i = 0; i < count; ++i) keys.push_back(KeyFor(std::to_string(i), "flash", Rpm(1)));
    return keys;
  }
  std::optional<Duration> Eta() { return dispatcher.StandingOf(last_ticket, now)->eta; }
};

TEST(Standing, OfFewKeysIsForetoldAnewWhenSomethingHappens) {
  FullHost host(64);
  host.dispatcher.Reset("0", true, host.now);
  EXPECT_EQ(host.Eta(), seconds(0));
}

TEST(Standing, OfManyKeysIsForetoldAnewAfterAMoment) {
  FullHost host(65);
  host.dispatcher.Reset("0", true, host.now);
  host.Pass(milliseconds(20) - Duration(1));
  EXPECT_EQ(host.Eta(), seconds(60) - milliseconds(20) + Duration(1));
  host.Pass(Duration(1));
  EXPECT_EQ(host.Eta(), seconds(0));
}

TEST(Models, AreServedWhateverTheirKeysStateAndAvailableWhereOneIsOpen) {
  Host host(ConfigOf({KeyFor("a", "flash", Rpm(1))}));
  EXPECT_TRUE(host.dispatcher.Serves("flash"));
  EXPECT_TRUE(host.dispatcher.IsAvailable("flash", host.now));
  EXPECT_FALSE(host.dispatcher.Serves("pro"));
  EXPECT_FALSE(host.dispatcher.IsAvailable("pro", host.now));
  ASSERT_EQ(host.Send("flash"), "a");
  EXPECT_TRUE(host.dispatcher.Serves("flash"));
  EXPECT_FALSE(host.dispatcher.IsAvailable("flash", host.now));
}

}  // namespace
}  // namespace requestrouter::policy
