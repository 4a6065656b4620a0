#include "client_lib/routerctl/daemon.h"

#include <utility>

#include "ipc/socket.h"

namespace requestrouter::routerctl {
namespace {

using ipc::Value;

constexpr std::chrono::minutes kChatTimeout{10};
constexpr std::chrono::seconds kCancelTimeout{5};
// A person who asks whether it runs wants to know soon.
constexpr std::chrono::milliseconds kConnectTimeout{500};

ClientOptions ClientOptionsFor(const std::string& endpoint) {
  ClientOptions options;
  options.endpoint = endpoint;
  options.connect_timeout = kConnectTimeout;
  return options;
}

}  // namespace

Daemon::Daemon(const Options& options)
    : options_(options), client_(ClientOptionsFor(options.endpoint)) {}

Result<Value> Daemon::Ask(const std::string& op, const Value& body, const OnEvent& on_event,
                          std::chrono::milliseconds timeout) {
  CallOptions call;
  call.deadline = options_.timeout.value_or(timeout);
  call.resend = false;
  return Call(op, body, on_event, call);
}

Result<Value> Daemon::Chat(const std::string& request_id, const Value& body,
                           const OnEvent& on_event) {
  CallOptions call;
  call.deadline = options_.timeout.value_or(kChatTimeout);
  call.request_id = request_id;
  return Call("chat", body, on_event, call);
}

std::string Daemon::endpoint() const { return ipc::ResolveEndpoint(options_.endpoint); }

void Daemon::Cancel(const std::string& request_id) {
  CallOptions call;
  call.deadline = kCancelTimeout;
  // The request itself reports how it ended.
  static_cast<void>(client_.Cancel(request_id, call));
}

Result<Value> Daemon::Call(const std::string& op, const Value& body, const OnEvent& on_event,
                           const CallOptions& call) {
  const auto forward = [&on_event](const std::string& json) {
    return !on_event || on_event(Value::parse(json));
  };
  auto reply = client_.Call(op, body.dump(), call, forward);
  if (!reply) return std::move(reply.error());
  return Value::parse(*reply);
}

}  // namespace requestrouter::routerctl
