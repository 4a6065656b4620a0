#include "requestrouter/requestrouter.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "client_lib/src/connection.h"
#include "client_lib/src/errors.h"
#include "client_lib/src/json.h"
#include "client_lib/src/mailbox.h"
#include "requestrouter_version.h"

namespace client = requestrouter::client;

struct rr_client {
  explicit rr_client(requestrouter::ClientOptions options) : connection(std::move(options)) {}
  client::Connection connection;
};

struct rr_call {
  const pid_t pid = getpid();
  std::string id;
  std::shared_ptr<client::Mailbox> mailbox = std::make_shared<client::Mailbox>();
  std::shared_ptr<client::Session>
      session;  // null where the request was refused before it was sent
  bool ended = false;
  std::string json;
};

namespace {

using requestrouter::CallOptions;
using requestrouter::ClientOptions;
using requestrouter::ErrorType;
using requestrouter::Result;
using requestrouter::ipc::Value;
using std::chrono::milliseconds;

// For an error that cannot be put together for want of memory.
constexpr const char* kOutOfMemory =
    R"({"type":"internal_error","message":"out of memory","retryable":false})";

// The caller's struct in this version's size: a caller built against an older header gives fewer
// fields, a newer one more.
template <typename Options>
Options Copy(const Options* given) {
  Options options = {};
  if (given) std::memcpy(&options, given, std::min(given->size, sizeof options));
  return options;
}

ClientOptions ToClientOptions(const rr_options& given) {
  ClientOptions options;
  if (given.endpoint) options.endpoint = given.endpoint;
  if (given.connect_timeout_ms) options.connect_timeout = milliseconds(given.connect_timeout_ms);
  if (given.reconnect_timeout_ms) {
    options.reconnect_timeout = milliseconds(given.reconnect_timeout_ms);
  }
  if (given.max_payload_bytes) options.max_payload_bytes = given.max_payload_bytes;
  return options;
}

CallOptions ToCallOptions(const rr_call_options& given) {
  CallOptions options;
  if (given.request_id) options.request_id = given.request_id;
  if (given.deadline_ms) options.deadline = milliseconds(given.deadline_ms);
  options.resend = given.no_resend == 0;
  return client::WithId(options);
}

void Start(rr_client& from, rr_call& call, const char* op, const char* body_json,
           const CallOptions& options) {
  Result<Value> body = client::ParseBody(body_json ? body_json : "");
  if (!body) return call.mailbox->OnDone(std::move(body.error()));
  if (!op) return call.mailbox->OnDone(client::InvalidRequest("the operation is missing"));
  call.session = from.connection.Submit(client::BodyEncoder(call.id, op, std::move(*body)), options,
                                        call.mailbox);
}

rr_status Give(rr_call& call, client::Mailbox::Item item) {
  if (auto* event = std::get_if<Value>(&item)) {
    call.json = client::DumpBody(std::move(*event));
    return RR_EVENT;
  }
  auto& outcome = std::get<Result<Value>>(item);
  call.ended = true;
  if (outcome) {
    call.json = client::DumpBody(std::move(*outcome));
    return RR_REPLY;
  }
  outcome.error().request_id = call.id;
  call.json = client::DumpBody(client::ErrorBody(outcome.error()));
  return RR_ERROR;
}

// Nothing of the parent's locks and threads can be used in a forked child.
bool IsInherited(const rr_call& call) { return call.pid != getpid(); }

rr_status Next(rr_call& call, int64_t timeout_ms) {
  call.json.clear();
  if (call.ended) return RR_ENDED;
  if (IsInherited(call)) {
    return Give(call, Result<Value>(client::MakeError(ErrorType::kClientClosed,
                                                      "the call was started before the fork")));
  }
  if (timeout_ms < 0) return Give(call, call.mailbox->Next());
  auto item = call.mailbox->NextWithin(milliseconds(timeout_ms));
  return item ? Give(call, std::move(*item)) : RR_TIMEOUT;
}

}  // namespace

const char* rr_version(void) { return REQUESTROUTER_VERSION; }

rr_client* rr_client_new(const rr_options* options) {
  try {
    return new rr_client(ToClientOptions(Copy(options)));
  } catch (...) {
    return nullptr;
  }
}

void rr_client_free(rr_client* client) { delete client; }

rr_call* rr_call_start(rr_client* client, const char* op, const char* body_json,
                       const rr_call_options* options) {
  try {
    const CallOptions call_options = ToCallOptions(Copy(options));
    auto call = std::make_unique<rr_call>();
    call->id = call_options.request_id;
    Start(*client, *call, op, body_json, call_options);
    return call.release();
  } catch (...) {
    return nullptr;
  }
}

const char* rr_call_id(const rr_call* call) { return call->id.c_str(); }

rr_status rr_call_next(rr_call* call, int64_t timeout_ms, const char** json) {
  try {
    const rr_status status = Next(*call, timeout_ms);
    *json = call->json.c_str();
    return status;
  } catch (...) {
    call->ended = true;
    *json = kOutOfMemory;
    return RR_ERROR;
  }
}

int rr_call_fd(rr_call* call) { return IsInherited(*call) ? -1 : call->mailbox->fd(); }

void rr_call_cancel(rr_call* call) {
  try {
    if (call->session && !call->ended && !IsInherited(*call)) call->session->Cancel(call->id);
  } catch (...) {
    // Out of memory: the request goes on, and its deadline ends it.
  }
}

void rr_call_free(rr_call* call) {
  if (!call) return;
  try {
    if (call->session && !call->ended && !IsInherited(*call)) call->session->Abandon(call->id);
  } catch (...) {
    // As in rr_call_cancel.
  }
  // In a forked child this only drops counts: the mailbox' locks are not taken.
  delete call;
}
