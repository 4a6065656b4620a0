#include "tests/support/sim/faults.h"

#include <algorithm>
#include <array>

#include "tests/support/gzip.h"

namespace requestrouter::sim {
namespace {

constexpr std::array kNames = {
    "status",   "html",  "rate_limit",         "invalid_key", "revoke",          "no_credit",
    "hang",     "reset", "reset_mid_body",     "truncated",   "hang_mid_body",   "slow_drip",
    "bad_json", "empty", "wrong_content_type", "gzip",        "error_mid_stream"};
constexpr std::size_t kDripBytes = 16;

bool Matches(const std::string& wanted, const std::string& value) {
  return wanted.empty() || wanted == value;
}

void SetHeader(const char* name, const std::string& value, Headers* headers) {
  std::erase_if(*headers, [&](const auto& header) { return header.first == name; });
  headers->emplace_back(name, value);
}

std::string Everything(const Reply& reply) {
  std::string all = reply.response.body;
  for (const std::string& piece : reply.pieces) all += piece;
  return all;
}

// Leaves the first half of the bytes. What comes in one piece goes on promising all of them.
void Halve(Reply* reply) {
  if (reply->pieces.empty()) {
    const std::size_t size = reply->response.body.size();
    SetHeader("Content-Length", std::to_string(size), &reply->response.headers);
    reply->pieces.push_back(reply->response.body.substr(0, size / 2));
    return;
  }
  reply->pieces.resize((reply->pieces.size() + 1) / 2);
  std::string& last = reply->pieces.back();
  last.resize(last.size() / 2);
}

void Drip(Millis pace, Reply* reply) {
  const std::string all = Everything(*reply);
  reply->pieces.clear();
  for (std::size_t i = 0; i < all.size(); i += kDripBytes) {
    reply->pieces.push_back(all.substr(i, kDripBytes));
  }
  reply->pace = pace;
}

void BreakJson(Reply* reply) {
  if (reply->pieces.empty()) {
    reply->response.body.resize(reply->response.body.size() / 2);
    return;
  }
  std::string& event = reply->pieces[reply->pieces.size() / 2];
  event = event.substr(0, event.size() * 2 / 3) + "\n\n";
}

void Compress(Reply* reply) {
  reply->response.body = support::Gzip(Everything(*reply));
  reply->pieces.clear();
  SetHeader("Content-Encoding", "gzip", &reply->response.headers);
}

std::optional<Limit> LimitOf(const std::string& name) {
  for (const Limit limit : kAllLimits) {
    if (name == NameOf(limit)) return limit;
  }
  return std::nullopt;
}

}  // namespace

const char* NameOf(FaultKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

bool IsBeforeAnswer(FaultKind kind) { return kind <= FaultKind::kReset; }

tl::expected<Fault, std::string> ParseFault(const Json& json) {
  Fault fault;
  std::string kind = json.is_string() ? json.get<std::string>() : TextAt(json, "kind");
  if (kind.rfind("status:", 0) == 0) {
    fault.status = std::atoi(kind.c_str() + 7);
    kind = "status";
  }
  const auto name = std::find(kNames.begin(), kNames.end(), kind);
  if (name == kNames.end()) return tl::unexpected("faults: no such kind: \"" + kind + "\"");
  fault.kind = static_cast<FaultKind>(name - kNames.begin());
  fault.status =
      static_cast<int>(IntAt(json, "status", fault.kind == FaultKind::kHtml ? 502 : fault.status));
  if (fault.status < 400 || fault.status > 599) {
    return tl::unexpected(std::string("faults: status: 400 to 599"));
  }
  fault.count = IntAt(json, "count", 1);
  const Json* match = Find(json, "match");
  const Json& by = match ? *match : json;
  fault.key = TextAt(by, "key");
  fault.model = TextAt(by, "model");
  fault.provider = TextAt(by, "provider");
  if (const Json* value = Find(json, "probability")) fault.probability = value->get<double>();
  const auto limit = LimitOf(Find(json, "limit") ? TextAt(json, "limit") : "rpm");
  if (!limit) return tl::unexpected(std::string("faults: no such limit"));
  fault.limit = *limit;
  fault.retry_after = Millis(IntAt(json, "retry_after_ms", fault.retry_after.count()));
  fault.pace = Millis(IntAt(json, "pace_ms", fault.pace.count()));
  return fault;
}

void Spoil(const Fault& fault, const std::string& error_event, Reply* reply) {
  switch (fault.kind) {
    case FaultKind::kResetMidBody:
      Halve(reply);
      reply->ending = Ending::kReset;
      return;
    case FaultKind::kTruncated:
      Halve(reply);
      reply->ending = Ending::kClose;
      return;
    case FaultKind::kHangMidBody:
      Halve(reply);
      reply->ending = Ending::kHang;
      return;
    case FaultKind::kSlowDrip:
      return Drip(fault.pace, reply);
    case FaultKind::kBadJson:
      return BreakJson(reply);
    case FaultKind::kEmpty:
      reply->response.body.clear();
      reply->pieces.clear();
      return;
    case FaultKind::kWrongContentType:
      return SetHeader("Content-Type", "text/plain", &reply->response.headers);
    case FaultKind::kGzip:
      return Compress(reply);
    case FaultKind::kErrorMidStream:
      if (reply->pieces.empty()) return;
      reply->pieces.resize((reply->pieces.size() + 1) / 2);
      reply->pieces.push_back(error_event);
      return;
    default:
      return;
  }
}

std::optional<Fault> Faults::Take(const std::string& key, const std::string& model,
                                  const std::string& provider) {
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    const bool matches = Matches(fault->key, key) && Matches(fault->model, model) &&
                         Matches(fault->provider, provider);
    if (!matches) continue;
    std::uniform_real_distribution<double> chance(0, 1);
    if (fault->probability < 1 && chance(random_) >= fault->probability) continue;
    Fault taken = *fault;
    if (fault->count > 0 && --fault->count == 0) faults_.erase(fault);
    return taken;
  }
  return std::nullopt;
}

}  // namespace requestrouter::sim
