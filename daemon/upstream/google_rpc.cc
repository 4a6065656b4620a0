#include "daemon/upstream/google_rpc.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <vector>

#include "daemon/upstream/json_view.h"

namespace requestrouter::upstream {
namespace {

constexpr std::size_t kMaxEntries = 16;
constexpr std::size_t kMaxEntryBytes = 256;
// Beyond any delay that makes sense, and far below what overflows.
constexpr std::int64_t kMaxSeconds = 366 * 86'400;

bool AllDigits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Seconds, or kMaxSeconds where there are more.
std::optional<std::int64_t> ParseSeconds(std::string_view digits) {
  if (digits.empty() || !AllDigits(digits)) return std::nullopt;
  std::int64_t seconds = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  return result.ec == std::errc() ? std::min(seconds, kMaxSeconds) : kMaxSeconds;
}

std::optional<std::int64_t> ParseNanoseconds(std::string_view digits) {
  if (digits.empty() || digits.size() > 9 || !AllDigits(digits)) return std::nullopt;
  std::string padded(digits);
  padded.resize(9, '0');
  return std::stoll(padded);
}

void AddEntry(std::string_view text, std::vector<std::string>* entries) {
  if (!text.empty() && entries->size() < kMaxEntries) {
    entries->push_back(Bounded(text, kMaxEntryBytes));
  }
}

void ReadQuotaFailure(const ipc::Value& detail, ProviderError* error) {
  const ipc::Value* violations = ArrayMember(detail, "violations");
  if (violations == nullptr) return;
  for (const ipc::Value& violation : *violations) {
    AddEntry(TextMember(violation, "quotaId"), &error->quota_ids);
  }
}

void ReadDetail(const ipc::Value& detail, ProviderError* error) {
  const std::string_view type = TextMember(detail, "@type");
  if (type.ends_with("google.rpc.ErrorInfo")) {
    AddEntry(TextMember(detail, "reason"), &error->reasons);
  } else if (type.ends_with("google.rpc.QuotaFailure")) {
    ReadQuotaFailure(detail, error);
  } else if (type.ends_with("google.rpc.RetryInfo")) {
    error->retry_delay = ParseDuration(TextMember(detail, "retryDelay"));
  }
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  if (!text.ends_with("s")) return std::nullopt;
  text.remove_suffix(1);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const auto seconds = ParseSeconds(text.substr(0, point));
  const auto nanoseconds = point == std::string_view::npos
                               ? std::optional<std::int64_t>(0)
                               : ParseNanoseconds(text.substr(point + 1));
  if (!seconds || !nanoseconds) return std::nullopt;
  if (negative) return std::chrono::milliseconds(0);
  return std::chrono::milliseconds(*seconds * 1'000 + (*nanoseconds + 999'999) / 1'000'000);
}

void ReadErrorDetails(const ipc::Value& details, ProviderError* error) {
  if (!details.is_array()) return;
  for (const ipc::Value& detail : details) ReadDetail(detail, error);
}

}  // namespace requestrouter::upstream
