#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>

#include "client_lib/direct/fallback.h"
#include "client_lib/src/errors.h"
#include "client_lib/src/json.h"
#include "requestrouter/direct.h"
#include "requestrouter/requestrouter_direct.h"

struct rr_direct {
  explicit rr_direct(requestrouter::DirectOptions options) : client(std::move(options)) {}
  requestrouter::DirectClient client;
};

namespace {

using requestrouter::CallOptions;
using requestrouter::Error;
using requestrouter::ErrorType;
using requestrouter::Result;
using requestrouter::ipc::Value;
using std::chrono::milliseconds;

namespace client = requestrouter::client;
namespace direct = requestrouter::direct;

constexpr milliseconds kMost{86'400'000};  // as of the wire's deadline_ms

struct FreeCall {
  void operator()(rr_call* call) const { rr_call_free(call); }
};

// Where the messages before the final one go.
struct Events {
  rr_direct_event function = nullptr;
  void* context = nullptr;
  bool Give(const char* body) const { return !function || function(context, body) != 0; }
};

milliseconds Bounded(int64_t deadline_ms) {
  return std::clamp(milliseconds(deadline_ms), milliseconds(1), kMost);
}

int Give(const Result<std::string>& reply, char** json) {
  *json = strdup((reply ? *reply : client::DumpJson(client::ErrorBody(reply.error()))).c_str());
  return reply ? 0 : 1;
}

Result<std::string> AskProvider(rr_direct& direct, const char* op, const char* body_json,
                                milliseconds deadline, Events events) {
  CallOptions options;
  options.deadline = deadline;
  return direct.client.Call(op, body_json ? body_json : "", options,
                            [&](const std::string& body) { return events.Give(body.c_str()); });
}

// The final message of a chat asked of routerd: its status, and its text in `*json`.
rr_status AskRouter(rr_client* router, const char* body_json, milliseconds deadline, Events events,
                    std::string* json) {
  const rr_call_options options = {sizeof options, nullptr, deadline.count(), 0};
  const std::unique_ptr<rr_call, FreeCall> call(rr_call_start(router, "chat", body_json, &options));
  if (!call) throw std::bad_alloc();
  const char* text = nullptr;
  rr_status status = rr_call_next(call.get(), -1, &text);
  for (; status == RR_EVENT; status = rr_call_next(call.get(), -1, &text)) {
    if (!events.Give(text)) rr_call_cancel(call.get());
  }
  *json = text;
  return status;
}

bool MayBeResent(const char* body_json) {
  const Result<Value> body = client::ParseBody(body_json ? body_json : "");
  if (!body) return false;
  const auto on_unknown = body->find("on_unknown");
  return on_unknown == body->end() || *on_unknown != "fail";
}

std::string WithWarning(const std::string& reply_json) {
  Value reply = Value::parse(reply_json);
  reply["warnings"].push_back(direct::kFallbackWarning);
  return client::DumpJson(reply);
}

int FallbackChat(rr_client* router, rr_direct& direct, const char* body_json, milliseconds deadline,
                 Events events, char** json) {
  if (!requestrouter::RouterEnabled()) {
    return Give(AskProvider(direct, "chat", body_json, deadline, events), json);
  }
  const auto until = std::chrono::steady_clock::now() + deadline;
  std::string answer;
  const rr_status status = AskRouter(router, body_json, deadline, events, &answer);
  if (status == RR_REPLY) return Give(std::move(answer), json);
  Error error;
  if (Value::parse(answer).value("type", "") == Name(ErrorType::kNoDaemon)) {
    error.type = ErrorType::kNoDaemon;
  }
  const auto left = direct::TimeForDirect(error, MayBeResent(body_json), until);
  if (!left) {
    *json = strdup(answer.c_str());
    return 1;
  }
  Result<std::string> reply = AskProvider(direct, "chat", body_json, *left, events);
  return Give(reply ? WithWarning(*reply) : reply, json);
}

}  // namespace

rr_direct* rr_direct_new(const char* api_key, const char* provider) {
  try {
    return new rr_direct({api_key ? api_key : "", provider ? provider : ""});
  } catch (const std::exception&) {
    return nullptr;
  }
}

void rr_direct_free(rr_direct* direct) { delete direct; }

int rr_direct_call(rr_direct* direct, const char* op, const char* body_json, int64_t deadline_ms,
                   rr_direct_event on_event, void* context, char** json) {
  *json = nullptr;
  try {
    const Result<std::string> reply =
        op ? AskProvider(*direct, op, body_json, Bounded(deadline_ms), {on_event, context})
           : client::InvalidRequest("the operation is missing");
    return Give(reply, json);
  } catch (const std::exception&) {
    return 1;
  }
}

int rr_fallback_chat(rr_client* router, rr_direct* direct, const char* body_json,
                     int64_t deadline_ms, rr_direct_event on_event, void* context, char** json) {
  *json = nullptr;
  try {
    return FallbackChat(router, *direct, body_json, Bounded(deadline_ms), {on_event, context},
                        json);
  } catch (const std::exception&) {
    return 1;
  }
}

void rr_direct_text_free(char* json) { free(json); }
