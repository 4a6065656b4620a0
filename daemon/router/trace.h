#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/policy/dispatcher.h"
#include "storage/store.h"

namespace requestrouter::router {

// The keys that a decision looked at. Written for every request and read for few: one piece of
// memory, because there can be dozens.
class CandidateList {
 public:
  struct Candidate {
    std::string_view key_id;
    std::string_view model;
    std::string_view verdict;  // static
    std::optional<storage::Millis> until;
  };

  CandidateList() = default;
  explicit CandidateList(std::string packed) : packed_(std::move(packed)) {}

  const std::string& packed() const { return packed_; }
  void Clear() { packed_.clear(); }
  void Add(const Candidate& candidate);
  // In the order of Add. The texts are valid until the list changes.
  std::vector<Candidate> All() const;

 private:
  std::string packed_;
};

// What happened to one request, for the `explain` operation. Free of content and secrets.
struct Trace {
  struct Event {
    storage::Millis at = 0;
    // Static: received, held_back, waiting, granted, sent, retrying, answered, failed.
    std::string_view event;
    std::string detail;  // for people; may be empty
  };
  struct Attempt {
    std::int64_t n = 0;
    std::string key_id;
    std::string model;
    std::string outcome;  // "ok", or the fault's reason; "in_flight" while it runs
    int status = 0;       // HTTP; 0: none
    std::int64_t waited_ms = 0;
    std::int64_t duration_ms = 0;
  };

  std::string id;
  std::uint32_t uid = 0;
  std::string caller;  // as people are shown it
  std::string state;   // waiting, in_flight, answered, or the error's type
  std::vector<Event> timeline;
  std::vector<Attempt> attempts;
  CandidateList considered;  // at the last decision
};

// The traces of the last requests that are over. Router thread only.
//
// Every request is added, few are ever asked for: so adding is cheap, and finding looks through
// them, from the last one back. Each is one piece of memory: kept as they were, ten thousand of
// them were 10 MB that every request went through, in a dozen places.
class TraceLog {
 public:
  explicit TraceLog(std::size_t capacity = 10'000) : capacity_(capacity) {}

  void Add(const Trace& trace);
  // The last one of that id.
  std::optional<Trace> Find(std::uint32_t uid, std::string_view id) const;
  // Up to `most`, of this uid where one is given, the last one first.
  std::vector<Trace> Last(std::size_t most, std::optional<std::uint32_t> uid) const;

 private:
  const std::size_t capacity_;
  std::deque<std::string> packed_;  // oldest first
  std::string scratch_;
};

}  // namespace requestrouter::router
