#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace requestrouter::storage {

// Which conversations there may be, so that the first turn of a new one waits for no read: a Bloom
// filter of 1 MiB with two bits each. It takes one conversation in 1,800 for an older one where
// there are 100,000, one in 20 where there are a million; those are looked for in the database.
// Nothing is ever taken out: what is deleted is looked for, too.
//
// Any thread.
class ConversationFilter {
 public:
  // Of an empty filter everything has to be looked for.
  ConversationFilter();

  // False: there is none of that name, and none is being written.
  bool MayHold(std::uint32_t uid, std::string_view conv_id) const;

  void Add(std::uint32_t uid, std::string_view conv_id);

  // Between these there may be conversations that were not added. One of them begins with the
  // filter.
  void BeginLoading() { ++loading_; }
  void EndLoading() { --loading_; }

 private:
  struct Free {
    void operator()(std::uint64_t* words) const;
  };
  std::unique_ptr<std::uint64_t[], Free> words_;
  std::uint64_t seed_;  // that no caller knows
  std::atomic<int> loading_{1};
};

}  // namespace requestrouter::storage
