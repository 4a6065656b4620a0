#include "daemon/router/mailbox.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <thread>

namespace requestrouter::router {
namespace {

bool IsReadable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return poll(&entry, 1, 0) == 1;
}

TEST(Mailbox, IsReadableExactlyWhileSomethingWaits) {
  threads::Assume(threads::kRouterThread);
  Mailbox mailbox;
  EXPECT_FALSE(IsReadable(mailbox.fd()));
  mailbox.Post([] {});
  mailbox.Post([] {});
  EXPECT_TRUE(IsReadable(mailbox.fd()));
  EXPECT_TRUE(mailbox.Drain());
  EXPECT_FALSE(IsReadable(mailbox.fd()));
  EXPECT_FALSE(mailbox.Drain());
}

TEST(Mailbox, TasksRunInTheOrderInWhichEachThreadPostedThem) {
  threads::Assume(threads::kRouterThread);
  Mailbox mailbox;
  constexpr int kThreads = 4;
  constexpr int kTasks = 1000;
  std::vector<std::vector<int>> seen(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kTasks; ++i) {
        mailbox.Post([&seen, t, i] { seen[static_cast<std::size_t>(t)].push_back(i); });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  mailbox.Drain();
  for (const std::vector<int>& numbers : seen) {
    ASSERT_EQ(numbers.size(), static_cast<std::size_t>(kTasks));
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
  }
}

TEST(Mailbox, ATaskMayPostAnotherWhichRunsNextTime) {
  threads::Assume(threads::kRouterThread);
  Mailbox mailbox;
  int runs = 0;
  mailbox.Post([&] {
    ++runs;
    mailbox.Post([&] { ++runs; });
  });
  mailbox.Drain();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(IsReadable(mailbox.fd()));
  mailbox.Drain();
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace requestrouter::router
