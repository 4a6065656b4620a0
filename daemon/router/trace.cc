#include "daemon/router/trace.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace requestrouter::router {
namespace {

constexpr std::size_t kMostText = UINT16_MAX;
constexpr storage::Millis kNoTime = INT64_MIN;

// Of a candidate; its texts follow.
struct Head {
  std::string_view verdict;  // where it is: it is static
  storage::Millis until;
  std::uint16_t key_bytes;
  std::uint16_t model_bytes;
};

template <typename Plain>
void Pack(Plain value, std::string& packed) {
  packed.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void PackText(std::string_view text, std::string& packed) {
  text = text.substr(0, kMostText);
  Pack(static_cast<std::uint16_t>(text.size()), packed);
  packed += text;
}

template <typename Plain>
Plain Unpack(std::string_view& packed) {
  std::array<char, sizeof(Plain)> bytes{};
  packed.copy(bytes.data(), bytes.size());
  packed.remove_prefix(bytes.size());
  return std::bit_cast<Plain>(bytes);
}

std::string_view UnpackText(std::string_view& packed) {
  const auto size = Unpack<std::uint16_t>(packed);
  const std::string_view text = packed.substr(0, size);
  packed.remove_prefix(size);
  return text;
}

// What tells it from others comes first.
void PackTrace(const Trace& trace, std::string& packed) {
  Pack(trace.uid, packed);
  for (const std::string* text : {&trace.id, &trace.caller, &trace.state}) PackText(*text, packed);
  Pack(trace.timeline.size(), packed);
  for (const Trace::Event& event : trace.timeline) {
    Pack(event.at, packed);
    Pack(event.event, packed);  // where it is: it is static
    PackText(event.detail, packed);
  }
  Pack(trace.attempts.size(), packed);
  for (const Trace::Attempt& attempt : trace.attempts) {
    for (const std::int64_t number :
         {attempt.n, std::int64_t{attempt.status}, attempt.waited_ms, attempt.duration_ms}) {
      Pack(number, packed);
    }
    for (const std::string* text : {&attempt.key_id, &attempt.model, &attempt.outcome}) {
      PackText(*text, packed);
    }
  }
  packed += trace.considered.packed();
}

bool IsOf(std::string_view packed, std::uint32_t uid) {
  return Unpack<std::uint32_t>(packed) == uid;
}

bool IsOf(std::string_view packed, std::uint32_t uid, std::string_view id) {
  return Unpack<std::uint32_t>(packed) == uid && UnpackText(packed) == id;
}

Trace UnpackTrace(std::string_view packed) {
  Trace trace;
  trace.uid = Unpack<std::uint32_t>(packed);
  for (std::string* text : {&trace.id, &trace.caller, &trace.state}) *text = UnpackText(packed);
  trace.timeline.resize(Unpack<std::size_t>(packed));
  for (Trace::Event& event : trace.timeline) {
    event.at = Unpack<storage::Millis>(packed);
    event.event = Unpack<std::string_view>(packed);
    event.detail = UnpackText(packed);
  }
  trace.attempts.resize(Unpack<std::size_t>(packed));
  for (Trace::Attempt& attempt : trace.attempts) {
    attempt.n = Unpack<std::int64_t>(packed);
    attempt.status = static_cast<int>(Unpack<std::int64_t>(packed));
    attempt.waited_ms = Unpack<std::int64_t>(packed);
    attempt.duration_ms = Unpack<std::int64_t>(packed);
    for (std::string* text : {&attempt.key_id, &attempt.model, &attempt.outcome}) {
      *text = UnpackText(packed);
    }
  }
  trace.considered = CandidateList(std::string(packed));
  return trace;
}

}  // namespace

void CandidateList::Add(const Candidate& candidate) {
  const Head head{candidate.verdict, candidate.until.value_or(kNoTime),
                  static_cast<std::uint16_t>(std::min(candidate.key_id.size(), kMostText)),
                  static_cast<std::uint16_t>(std::min(candidate.model.size(), kMostText))};
  Pack(head, packed_);
  packed_.append(candidate.key_id, 0, head.key_bytes);
  packed_.append(candidate.model, 0, head.model_bytes);
}

std::vector<CandidateList::Candidate> CandidateList::All() const {
  std::vector<Candidate> all;
  for (std::string_view rest = packed_; !rest.empty();) {
    const auto head = Unpack<Head>(rest);
    Candidate& candidate = all.emplace_back();
    candidate.key_id = rest.substr(0, head.key_bytes);
    candidate.model = rest.substr(head.key_bytes, head.model_bytes);
    candidate.verdict = head.verdict;
    if (head.until != kNoTime) candidate.until = head.until;
    rest.remove_prefix(std::size_t{head.key_bytes} + head.model_bytes);
  }
  return all;
}

void TraceLog::Add(const Trace& trace) {
  scratch_.clear();
  PackTrace(trace, scratch_);
  packed_.push_back(scratch_);
  if (packed_.size() > capacity_) packed_.pop_front();
}

std::optional<Trace> TraceLog::Find(std::uint32_t uid, std::string_view id) const {
  for (auto packed = packed_.rbegin(); packed != packed_.rend(); ++packed) {
    if (IsOf(*packed, uid, id)) return UnpackTrace(*packed);
  }
  return std::nullopt;
}

std::vector<Trace> TraceLog::Last(std::size_t most, std::optional<std::uint32_t> uid) const {
  std::vector<Trace> last;
  for (auto packed = packed_.rbegin(); packed != packed_.rend() && last.size() < most; ++packed) {
    if (!uid || IsOf(*packed, *uid)) last.push_back(UnpackTrace(*packed));
  }
  return last;
}

}  // namespace requestrouter::router
