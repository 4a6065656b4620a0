#include "tests/support/sim/service.h"

#include <algorithm>

namespace requestrouter::sim {
namespace {

std::string LastUserText(const Asked& asked) {
  for (auto turn = asked.turns.rbegin(); turn != asked.turns.rend(); ++turn) {
    if (turn->role == Role::kUser) return turn->text;
  }
  return {};
}

bool HasKeyInUrl(const HttpRequest& request) {
  return request.query.rfind("key=", 0) == 0 || request.query.find("&key=") != std::string::npos;
}

}  // namespace

Service::Service(ServiceOptions options, Instant now)
    : options_(std::move(options)),
      keys_(options_.keys, options_.accept_any_key),
      pace_(options_.pace),
      script_(options_.script),
      began_(now) {
  AddFaultsOfKeys();
}

void Service::AddFaultsOfKeys() {
  for (const KeySpec& key : options_.keys) {
    if (key.fault) faults_.Add(*key.fault);
  }
}

Reply Service::Handle(const HttpRequest& request, Instant now) {
  if (request.path.rfind("/_sim/", 0) == 0) {
    Reply reply;
    reply.response = HandleOwn(request, now);
    return reply;
  }
  if (const Dialect* dialect = DialectOf(request.path)) {
    return HandleProvider(*dialect, request, now);
  }
  Reply reply;
  reply.response = JsonResponse(404, {{"error", {{"message", "provider_sim: no such path"}}}});
  return reply;
}

Reply Service::HandleProvider(const Dialect& dialect, const HttpRequest& request, Instant now) {
  Call call{dialect, {}, nullptr, nullptr, {}, {}};
  call.record.provider = dialect.provider();
  call.record.at = std::chrono::duration_cast<Millis>(now - began_);
  call.reply.latency = Latency();
  if (CheckKey(request, &call) && CheckRequest(request, &call) && CheckAccount(&call)) {
    Said said = Say(call.asked, script_);
    if (CheckLimits(said, now, &call)) Send(std::move(said), &call);
  }
  if (call.use && call.record.status != 0) {
    for (auto& header : dialect.QuotaHeaders(call.use->quota->States(now))) {
      call.reply.response.headers.push_back(std::move(header));
    }
  }
  call.reply.number = ledger_.Add(std::move(call.record));
  max_in_flight_ = std::max(max_in_flight_, ++in_flight_);
  return std::move(call.reply);
}

template <class Change>
void Service::Count(const Call& call, Change change) {
  change(&totals_);
  if (call.key) change(&call.key->counters);
  if (call.use) change(&call.use->counters);
}

void Service::Reject(HttpResponse response, Call* call) {
  Count(*call, [](Counters* counters) { ++counters->rejected; });
  call->record.outcome = "rejected";
  call->record.status = response.status;
  call->reply.response = std::move(response);
}

bool Service::CheckKey(const HttpRequest& request, Call* call) {
  if (HasKeyInUrl(request)) {
    ++keys_in_urls_;
    Reject(call->dialect.BadRequest("provider_sim: THE KEY WAS SENT IN THE URL, where every log "
                                    "on the way can read it. Send it in a header."),
           call);
    return false;
  }
  const std::string secret = call->dialect.SecretOf(request);
  call->key = keys_.Find(secret);
  if (call->key) {
    call->record.key = secret;
    Count(*call, [](Counters* counters) { ++counters->requests; });
  }
  if (call->key && !call->key->revoked) return true;
  Reject(secret.empty() ? call->dialect.MissingKey() : call->dialect.InvalidKey(), call);
  return false;
}

bool Service::CheckRequest(const HttpRequest& request, Call* call) {
  try {
    auto asked = call->dialect.Read(request);
    if (!asked) {
      Reject(std::move(asked.error()), call);
      return false;
    }
    call->asked = *std::move(asked);
  } catch (const Json::exception&) {
    Reject(call->dialect.BadRequest("provider_sim: a value of a wrong type"), call);
    return false;
  }
  const std::string prompt = LastUserText(call->asked);
  call->record.model = call->asked.model;
  call->record.stream = call->asked.stream;
  call->record.prompt = Prefix(prompt, Ledger::kPromptBytes);
  call->record.digest = Digest(prompt);
  return true;
}

bool Service::CheckAccount(Call* call) {
  call->use = keys_.Use(*call->key, call->asked.model);
  if (!call->use) {
    Reject(call->dialect.UnknownModel(call->asked.model), call);
    return false;
  }
  ++call->use->counters.requests;
  if (!call->key->out_of_credit) return true;
  Reject(call->dialect.NoCredit(), call);
  return false;
}

bool Service::CheckLimits(const Said& said, Instant now, Call* call) {
  Cost cost;
  cost.input = said.usage.input;
  cost.cached = said.usage.cached;
  cost.output = said.usage.output;
  cost.max_output = call->asked.max_output_tokens;
  cost.counts = call->use->counts.value_or(call->dialect.counts());
  const auto refusal = call->use->quota->Take(cost, now);
  if (!refusal) return true;
  Count(*call, [](Counters* counters) { ++counters->rate_limited; });
  call->record.outcome = "rate_limited";
  call->record.status = 429;
  call->reply.response = call->dialect.RateLimited(*refusal, call->asked.model);
  return false;
}

// Faults that come instead of an answer.
bool Service::CheckFault(const Fault& fault, Call* call) {
  Count(*call, [](Counters* counters) { ++counters->faulted; });
  call->record.outcome = NameOf(fault.kind);
  if (!IsBeforeAnswer(fault.kind)) return true;
  Reply& reply = call->reply;
  switch (fault.kind) {
    case FaultKind::kHang:
      reply.ending = Ending::kHang;
      return false;
    case FaultKind::kReset:
      reply.ending = Ending::kReset;
      return false;
    case FaultKind::kHtml:
      reply.response = {fault.status,
                        {{"Content-Type", "text/html"}},
                        "<html><head><title>Bad Gateway</title></head><body><center><h1>Bad "
                        "Gateway</h1></center></body></html>\n"};
      break;
    case FaultKind::kRateLimit:
      reply.response = call->dialect.RateLimited({{{fault.limit, 1, 1, 1}}, fault.retry_after},
                                                 call->asked.model);
      break;
    case FaultKind::kRevoke:
      call->key->revoked = true;
      [[fallthrough]];
    case FaultKind::kInvalidKey:
      reply.response = call->dialect.InvalidKey();
      break;
    case FaultKind::kNoCredit:
      reply.response = call->dialect.NoCredit();
      break;
    default:
      reply.response = call->dialect.ServerError(fault.status);
  }
  call->record.status = reply.response.status;
  return false;
}

void Service::Send(Said said, Call* call) {
  const auto fault =
      faults_.Take(call->key->spec.secret, call->asked.model, call->dialect.provider());
  call->record.outcome = "answered";
  if (fault && !CheckFault(*fault, call)) return;
  said.number = ++answers_;
  Count(*call, [&](Counters* counters) { Bill(said.usage, counters); });
  ledger_.CountPrompt(LastUserText(call->asked));
  call->record.billed = true;
  call->record.usage = said.usage;
  Reply& reply = call->reply;
  // A prompt that is refused at once is answered in one piece by those who have an error for it.
  HttpResponse whole;
  if (!call->asked.stream || said.prompt_blocked) whole = call->dialect.Answer(call->asked, said);
  if (call->asked.stream && whole.status == 200) {
    reply.response.headers.emplace_back("Content-Type", "text/event-stream");
    reply.pieces = call->dialect.Events(call->asked, said);
    reply.pace = pace_.delta;
  } else {
    reply.response = std::move(whole);
  }
  call->record.status = reply.response.status;
  if (fault) Spoil(*fault, call->dialect.ErrorEvent(), &reply);
}

Millis Service::Latency() {
  if (pace_.jitter.count() <= 0) return pace_.latency;
  std::uniform_int_distribution<std::int64_t> jitter(0, pace_.jitter.count());
  return pace_.latency + Millis(jitter(random_));
}

void Service::Ended(std::uint64_t number, bool client_left) {
  if (number == 0) return;
  --in_flight_;
  Record* record = ledger_.Find(number);
  if (client_left) {
    ++totals_.client_left;
    Key* key = record ? keys_.Find(record->key) : nullptr;
    if (key) ++key->counters.client_left;
  }
  if (!record) return;
  record->client_left = client_left;
  if (options_.on_ended) options_.on_ended(*record);
}

}  // namespace requestrouter::sim
