#include "daemon/router/trace.h"

#include <cstring>
#include <utility>

namespace requestrouter::router {
namespace {

constexpr std::size_t kMostText = UINT16_MAX;

template <typename Number>
void Pack(Number number, std::string& packed) {
  packed.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void PackText(std::string_view text, std::string& packed) {
  text = text.substr(0, kMostText);
  Pack(static_cast<std::uint16_t>(text.size()), packed);
  packed += text;
}

template <typename Number>
Number Unpack(std::string_view& packed) {
  Number number;
  std::memcpy(&number, packed.data(), sizeof number);
  packed.remove_prefix(sizeof number);
  return number;
}

std::string_view UnpackText(std::string_view& packed) {
  const auto size = Unpack<std::uint16_t>(packed);
  const std::string_view text = packed.substr(0, size);
  packed.remove_prefix(size);
  return text;
}

}  // namespace

void CandidateList::Add(const Candidate& candidate) {
  for (const std::string_view text : {candidate.key_id, candidate.model, candidate.verdict}) {
    PackText(text, packed_);
  }
  Pack(candidate.until.has_value(), packed_);
  if (candidate.until) Pack(*candidate.until, packed_);
}

std::vector<CandidateList::Candidate> CandidateList::All() const {
  std::vector<Candidate> all;
  for (std::string_view rest = packed_; !rest.empty();) {
    Candidate& candidate = all.emplace_back();
    candidate.key_id = UnpackText(rest);
    candidate.model = UnpackText(rest);
    candidate.verdict = UnpackText(rest);
    if (Unpack<bool>(rest)) candidate.until = Unpack<storage::Millis>(rest);
  }
  return all;
}

void TraceLog::Add(Trace trace) {
  traces_.push_back(std::move(trace));
  if (traces_.size() > capacity_) traces_.pop_front();
}

const Trace* TraceLog::Find(std::uint32_t uid, const std::string& id) const {
  const auto last = Last(1, [&](const Trace& trace) { return trace.uid == uid && trace.id == id; });
  return last.empty() ? nullptr : last.front();
}

std::vector<const Trace*> TraceLog::Last(std::size_t most,
                                         const std::function<bool(const Trace&)>& wanted) const {
  std::vector<const Trace*> last;
  for (auto trace = traces_.rbegin(); trace != traces_.rend() && last.size() < most; ++trace) {
    if (wanted(*trace)) last.push_back(&*trace);
  }
  return last;
}

}  // namespace requestrouter::router
