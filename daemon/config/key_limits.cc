#include "daemon/config/key_limits.h"

#include <chrono>

namespace requestrouter::config {
namespace {

constexpr std::int64_t kMostRequests = 1'000'000'000;
constexpr std::int64_t kMostInFlight = 1'000'000;
constexpr std::int64_t kLongestWindowSeconds = 86'400;

std::optional<std::int64_t> Amount(const ObjectReader& reader, std::string_view name,
                                   std::int64_t max) {
  const Node* value = reader.Find(name);
  if (value != nullptr && value->kind == Node::Kind::kNumber && value->number == 0) {
    reader.Error(name,
                 std::string("must be a positive whole number, is 0; leave it out for ") +
                     (name == "window_seconds" ? "60" : "no limit, or set \"active\" to false"));
    return std::nullopt;
  }
  return reader.Whole(name, 1, max);
}

void ReadWindowed(const ObjectReader& reader, std::string_view name, std::int64_t max,
                  std::optional<policy::Limit>& limit) {
  if (const auto amount = Amount(reader, name, max)) {
    if (!limit) limit.emplace();
    limit->amount = *amount;
  }
}

void SetWindow(std::optional<policy::Limit>& limit, policy::Duration window) {
  if (limit) limit->window = window;
}

bool Same(const std::optional<policy::Limit>& a, const std::optional<policy::Limit>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->amount == b->amount && a->window == b->window;
}

}  // namespace

policy::LimitSet ReadLimits(const ObjectReader& reader, policy::LimitSet base) {
  ReadWindowed(reader, "rpm", kMostRequests, base.rpm);
  ReadWindowed(reader, "tpm", kMostTokens, base.tpm);
  ReadWindowed(reader, "itpm", kMostTokens, base.itpm);
  ReadWindowed(reader, "otpm", kMostTokens, base.otpm);
  if (const auto rpd = Amount(reader, "rpd", kMostRequests)) base.rpd = rpd;
  if (const auto tpd = Amount(reader, "tpd", kMostTokens)) base.tpd = tpd;
  if (const auto most = Amount(reader, "max_in_flight", kMostInFlight)) base.max_in_flight = most;
  if (const auto window = Amount(reader, "window_seconds", kLongestWindowSeconds)) {
    if (!base.rpm && !base.tpm && !base.itpm && !base.otpm && !reader.Has("models")) {
      reader.report().Warn(reader.LineOf("window_seconds"), reader.PathOf("window_seconds"),
                           "has no effect without rpm, tpm, itpm or otpm");
    }
    for (auto* limit : {&base.rpm, &base.tpm, &base.itpm, &base.otpm}) {
      SetWindow(*limit, std::chrono::seconds(*window));
    }
  }
  return base;
}

bool SameLimits(const policy::LimitSet& a, const policy::LimitSet& b) {
  return Same(a.rpm, b.rpm) && Same(a.tpm, b.tpm) && Same(a.itpm, b.itpm) && Same(a.otpm, b.otpm) &&
         a.rpd == b.rpd && a.tpd == b.tpd && a.max_in_flight == b.max_in_flight;
}

}  // namespace requestrouter::config
