#include "tests/support/sim/ledger.h"

namespace requestrouter::sim {

Json ToJson(const Counters& counters) {
  return {{"requests", counters.requests},
          {"answered", counters.answered},
          {"rate_limited", counters.rate_limited},
          {"rejected", counters.rejected},
          {"faulted", counters.faulted},
          {"client_left", counters.client_left},
          {"input_tokens", counters.input_tokens},
          {"cached_tokens", counters.cached_tokens},
          {"output_tokens", counters.output_tokens},
          {"reasoning_tokens", counters.reasoning_tokens}};
}

void Bill(const Usage& usage, Counters* counters) {
  ++counters->answered;
  counters->input_tokens += usage.input;
  counters->cached_tokens += usage.cached;
  counters->output_tokens += usage.output;
  counters->reasoning_tokens += usage.reasoning;
}

Json ToJson(const Record& record) {
  return {{"number", record.number},
          {"at_ms", record.at.count()},
          {"provider", record.provider},
          {"key", record.key},
          {"model", record.model},
          {"stream", record.stream},
          {"outcome", record.outcome},
          {"status", record.status},
          {"prompt", record.prompt},
          {"prompt_digest", record.digest},
          {"billed", record.billed},
          {"client_left", record.client_left},
          {"input_tokens", record.usage.input},
          {"cached_tokens", record.usage.cached},
          {"output_tokens", record.usage.output}};
}

std::uint64_t Ledger::Add(Record record) {
  record.number = next_++;
  records_.push_back(std::move(record));
  if (records_.size() > kMaxRecords) records_.pop_front();
  return next_ - 1;
}

Record* Ledger::Find(std::uint64_t number) {
  if (records_.empty() || number < records_.front().number || number >= next_) return nullptr;
  return &records_[number - records_.front().number];
}

void Ledger::CountPrompt(const std::string& text) {
  const bool is_long = text.size() > kPromptBytes;
  std::string name = is_long ? Prefix(text, kPromptBytes) + "#" + Digest(text) : text;
  const auto found = prompts_.find(name);
  if (found != prompts_.end()) {
    ++found->second;
  } else if (prompts_.size() < kMaxPrompts) {
    prompts_.emplace(std::move(name), 1);
  }
}

void Ledger::Clear() {
  records_.clear();
  prompts_.clear();
}

Json Ledger::RecentJson() const {
  Json list = Json::array();
  const std::size_t from = records_.size() > kRecent ? records_.size() - kRecent : 0;
  for (std::size_t i = from; i < records_.size(); ++i) list.push_back(ToJson(records_[i]));
  return list;
}

Json Ledger::PromptsJson() const {
  Json counts = Json::object();
  // Appended, not looked up: the names differ already, and ordered maps search from the front.
  for (const auto& [prompt, count] : prompts_) {
    counts.get_ref<Json::object_t&>().push_back({prompt, count});
  }
  return counts;
}

}  // namespace requestrouter::sim
