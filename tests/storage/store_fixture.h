#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "storage/sqlite_store.h"

namespace requestrouter::storage {

constexpr Millis kNow = 1'800'000'000'000;
constexpr Millis kHour = 3'600'000;
constexpr Millis kDay = 24 * kHour;

// A store in a folder of its own, whose calls are made to wait for their answers.
class StoreTest : public ::testing::Test {
 public:
  StoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rr-store-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    Open();
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  SqliteOptions Options() const {
    SqliteOptions options;
    options.directory = folder_;
    options.most_results = 100;
    options.now = kNow;
    return options;
  }
  void Open() {
    auto opened = OpenSqliteStore(Options());
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  // Closes the store and opens it again, as a new daemon would.
  void Reopen() {
    store_.reset();
    Open();
  }

  Result<Written> Write(storage::Write write) {
    std::promise<Result<Written>> promise;
    store_->Submit(std::move(write), Durability::kFull,
                   [&](Result<Written> written) { promise.set_value(std::move(written)); });
    return promise.get_future().get();
  }
  Result<Written> Write(const Finish& finish) {
    return Write(std::make_shared<const Finish>(finish));
  }
  Result<Written> Write(const AttemptClosed& closed) { return Write(EndOf(closed)); }
  // Of a request of which nothing is stored but that its attempt has ended.
  static storage::Write EndOf(const AttemptClosed& closed) {
    Finish finish;
    finish.attempt = closed;
    return std::make_shared<const Finish>(std::move(finish));
  }
  Result<Written> BackUp(const std::string& path) {
    std::promise<Result<Written>> promise;
    store_->BackUp(path, [&](Result<Written> written) { promise.set_value(std::move(written)); });
    return promise.get_future().get();
  }
  Result<Conversation> Get(std::uint32_t uid, const std::string& conv_id, Millis now = kNow,
                           std::optional<std::int64_t> limit = std::nullopt) {
    return Get(*store_, uid, conv_id, now, limit);
  }
  static Result<Conversation> Get(Store& store, std::uint32_t uid, const std::string& conv_id,
                                  Millis now = kNow,
                                  std::optional<std::int64_t> limit = std::nullopt) {
    std::promise<Result<Conversation>> promise;
    store.GetConversation(uid, conv_id, now, limit,
                          [&](Result<Conversation> found) { promise.set_value(std::move(found)); });
    return promise.get_future().get();
  }
  // What is wrong with the database; a check that fails is a problem, too.
  static std::vector<std::string> Problems(Store& store, CheckDepth depth = CheckDepth::kFull) {
    std::promise<Result<std::vector<std::string>>> promise;
    store.Check(depth, [&](auto found) { promise.set_value(std::move(found)); });
    const auto found = promise.get_future().get();
    return found ? *found : std::vector<std::string>{found.error().message};
  }
  // The user's messages of a conversation.
  static std::vector<std::string> Questions(Store& store, const std::string& conv_id = "talk") {
    std::vector<std::string> texts;
    const auto found = Get(store, 1, conv_id);
    if (!found) return texts;
    for (const StoredMessage& message : found->messages) {
      if (message.role == "user") texts.push_back(message.text);
    }
    return texts;
  }
  Result<std::vector<UsageRow>> Usages(const UsageQuery& query) { return Usages(*store_, query); }
  static Result<std::vector<UsageRow>> Usages(Store& store, const UsageQuery& query) {
    std::promise<Result<std::vector<UsageRow>>> promise;
    store.QueryUsage(query, [&](auto rows) { promise.set_value(std::move(rows)); });
    return promise.get_future().get();
  }
  // Requests that count in the usage.
  static std::size_t UsedRequests(Store& store) {
    const auto rows = Usages(store, {});
    return rows && !rows->empty() ? static_cast<std::size_t>(rows->front().requests) : 0;
  }
  // As a daemon does: by the number that the store has said at the start.
  Result<StoredResult> GetResult(std::uint32_t uid, const std::string& request_id,
                                 Millis now = kNow) {
    std::int64_t id = 0;
    const auto recovered = store_->Recover(0);
    for (const StoredResult& result : recovered->results) {
      if (result.request_id == request_id) id = result.id;
    }
    std::promise<Result<StoredResult>> promise;
    store_->GetResult(id, uid, request_id, now,
                      [&](auto result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }
  std::vector<std::string> List(std::uint32_t uid, const std::string& prefix = "",
                                const std::string& after = "", std::int64_t limit = 100) {
    std::promise<Result<std::vector<ConversationInfo>>> promise;
    store_->ListConversations(uid, prefix, "", after, limit, kNow,
                              [&](auto found) { promise.set_value(std::move(found)); });
    const auto listed = promise.get_future().get();
    std::vector<std::string> names;
    for (const ConversationInfo& info : *listed) names.push_back(info.conv_id);
    return names;
  }

  static Turn TurnOf(std::uint32_t uid, const std::string& conv_id, const std::string& question,
                     Millis at = kNow) {
    Turn turn;
    turn.uid = uid;
    turn.conv_id = conv_id;
    turn.model = "flash";
    turn.key_id = "k1";
    turn.at = at;
    turn.expires_at = at + kDay;
    turn.total_tokens = 10;
    turn.messages = {{0, "user", question, "", at, 0, "", ""},
                     {0, "assistant", "answer to " + question, "", at, 5, "flash", "k1"}};
    return turn;
  }
  Result<Written> AddTurn(const Turn& turn) {
    Finish finish;
    finish.turn = turn;
    return Write(finish);
  }

  std::string folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace requestrouter::storage
