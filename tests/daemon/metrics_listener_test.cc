#include "daemon/ops/metrics_listener.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "tests/support/http_client.h"

namespace requestrouter::ops {
namespace {

using prometheus::MetricType;

// A listener whose router thread is the test.
class MetricsListenerTest : public ::testing::Test {
 protected:
  void Listen(std::chrono::milliseconds patience) {
    auto listening = MetricsListener::Listen(
        "127.0.0.1:0",
        {mailbox_,
         [this](const auto& done) {
           ++gathered_;
           done({Single(MetricType::Gauge, "with_router", "Help.", 1)});
         },
         [] { return Families{Single(MetricType::Gauge, "without_router", "Help.", 1)}; },
         patience});
    ASSERT_TRUE(listening) << listening.error().message;
    listener_ = std::move(*listening);
  }
  std::future<std::string> Scrape() {
    const std::string& address = listener_->address();
    const auto port = std::stoi(address.substr(address.rfind(':') + 1));
    return std::async(std::launch::async, [port] {
      return support::Http(static_cast<std::uint16_t>(port), "GET", "/metrics").body;
    });
  }
  static bool IsReady(std::future<std::string>& scrape) {
    return scrape.wait_for(std::chrono::milliseconds(1)) == std::future_status::ready;
  }

  router::Mailbox mailbox_;
  int gathered_ = 0;
  std::unique_ptr<MetricsListener> listener_;
};

TEST_F(MetricsListenerTest, AsksTheRouterThreadThroughItsMailbox) {
  threads::Assume(threads::kRouterThread);
  Listen(std::chrono::minutes(1));
  std::future<std::string> scrape = Scrape();
  while (!IsReady(scrape)) mailbox_.Drain();
  const std::string text = scrape.get();
  EXPECT_NE(text.find("with_router 1\n"), text.npos) << text;
  EXPECT_NE(text.find("requestrouter_router_responding 1\n"), text.npos);
  EXPECT_EQ(gathered_, 1);
}

TEST_F(MetricsListenerTest, SaysSoWhereTheRouterThreadDoesNotAnswer) {
  threads::Assume(threads::kRouterThread);
  Listen(std::chrono::milliseconds(1));
  const std::string text = Scrape().get();
  EXPECT_NE(text.find("without_router 1\n"), text.npos) << text;
  EXPECT_NE(text.find("requestrouter_router_responding 0\n"), text.npos);
  mailbox_.Drain();  // late, and for nobody
}

TEST_F(MetricsListenerTest, AScrapeThatWaitsDoesNotHoldUpTheEnd) {
  threads::Assume(threads::kRouterThread);
  Listen(std::chrono::hours(1));
  std::future<std::string> scrape = Scrape();
  pollfd asked{mailbox_.fd(), POLLIN, 0};
  ASSERT_EQ(poll(&asked, 1, -1), 1);  // it is under way
  listener_.reset();
  scrape.wait();
  mailbox_.Drain();
}

}  // namespace
}  // namespace requestrouter::ops
