#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/store.h"

namespace requestrouter::router {

// A database in memory that answers when told to, and fails when told to.
class FakeStore final : public storage::Store {
 public:
  storage::Result<storage::Recovered> Recover(storage::Millis) override {
    return storage::Recovered{};
  }

  storage::Result<void> OpenAttempt(const storage::AttemptOpened& attempt) override {
    if (failing) {
      return tl::unexpected(storage::Error{storage::ErrorCode::kFull, "the disk is full"});
    }
    opened.push_back(attempt);
    return {};
  }

  void Submit(storage::Write write, storage::Durability, Done<storage::Written> done) override {
    writes.push_back(std::move(write));
    pending_.push_back([this, write = writes.back(), done = std::move(done)] {
      if (failing) {
        done(tl::unexpected(storage::Error{storage::ErrorCode::kFull, "the disk is full"}));
        return;
      }
      Apply(write);
      stored.push_back(write);
      done(storage::Written{});
    });
  }

  bool MayHaveConversation(std::uint32_t uid, std::string_view conv_id) const override {
    return !knows_conversations || conversations.contains({uid, std::string(conv_id)});
  }

  void GetConversation(std::uint32_t uid, std::string conv_id, storage::Millis,
                       std::optional<std::int64_t>, Done<storage::Conversation> done) override {
    pending_.push_back([this, key = std::pair(uid, std::move(conv_id)), done = std::move(done)] {
      const auto found = conversations.find(key);
      if (found == conversations.end()) {
        done(tl::unexpected(storage::Error{storage::ErrorCode::kNotFound, "no conversation"}));
      } else {
        done(found->second);
      }
    });
  }

  void ListConversations(std::uint32_t, std::string, std::string, std::string, std::int64_t,
                         storage::Millis,
                         Done<std::vector<storage::ConversationInfo>> done) override {
    Answer(std::move(done), listed);
  }
  void QueryUsage(storage::UsageQuery, Done<std::vector<storage::UsageRow>> done) override {
    Answer(std::move(done), usage);
  }

  void GetResult(std::int64_t id, std::uint32_t uid, std::string request_id, storage::Millis,
                 Done<storage::StoredResult> done) override {
    pending_.push_back(
        [this, id, key = std::pair(uid, std::move(request_id)), done = std::move(done)] {
          const auto found = results.find(key);
          if (found == results.end() || found->second.id != id) {
            done(tl::unexpected(storage::Error{storage::ErrorCode::kNotFound, "no result"}));
          } else {
            done(found->second);
          }
        });
  }

  void BackUp(std::string, Done<storage::Written> done) override {
    Answer(std::move(done), storage::Written{});
  }
  void Check(storage::CheckDepth, Done<std::vector<std::string>> done) override {
    Answer(std::move(done), damage);
  }

  void Measure(Done<storage::Size> done) override { Answer(std::move(done), storage::Size{}); }

  bool healthy() const override { return !failing; }

  // Finishes everything asked so far. False: there was nothing.
  bool Finish() {
    std::deque<std::function<void()>> pending;
    pending.swap(pending_);
    for (auto& finish : pending) finish();
    return !pending.empty();
  }

  // All that were asked for, and those that did not fail.
  template <typename T>
  std::vector<T> WritesOf() const {
    return Of<T>(writes);
  }
  template <typename T>
  std::vector<T> StoredOf() const {
    return Of<T>(stored);
  }
  template <typename T>
  static std::vector<T> Of(const std::vector<storage::Write>& all) {
    std::vector<T> found;
    for (const storage::Write& write : all) {
      if (const T* one = std::get_if<T>(&write)) found.push_back(*one);
    }
    return found;
  }

  bool failing = false;
  bool knows_conversations = false;               // so that new ones are not looked for
  std::vector<storage::UsageRow> usage;           // what QueryUsage finds
  std::vector<storage::ConversationInfo> listed;  // what ListConversations finds
  std::vector<std::string> damage;                // what Check finds
  std::vector<storage::AttemptOpened> opened;
  std::vector<storage::Write> writes, stored;
  std::map<std::pair<std::uint32_t, std::string>, storage::Conversation> conversations;
  std::map<std::pair<std::uint32_t, std::string>, storage::StoredResult> results;

 private:
  // As everything is answered: once, when told to, with an error while failing.
  template <typename T>
  void Answer(Done<T> done, const T& answer) {
    pending_.push_back([this, done = std::move(done), answer] {
      if (!failing) return done(answer);
      done(tl::unexpected(storage::Error{storage::ErrorCode::kFull, "the disk is full"}));
    });
  }
  void Apply(const storage::Write& write) {
    const auto* shared = std::get_if<std::shared_ptr<const storage::Finish>>(&write);
    if (!shared) return;
    const storage::Finish* finish = shared->get();
    if (finish->turn) {
      const storage::Turn& turn = *finish->turn;
      storage::Conversation& conversation = conversations[{turn.uid, turn.conv_id}];
      conversation.messages.insert(conversation.messages.end(), turn.messages.begin(),
                                   turn.messages.end());
      conversation.info.last_key_id = turn.key_id;
      if (turn.system_prompt) conversation.info.system_prompt = turn.system_prompt;
    }
    if (finish->result)
      results[{finish->result->uid, finish->result->request_id}] = *finish->result;
  }

  std::deque<std::function<void()>> pending_;
};

}  // namespace requestrouter::router
