#include <algorithm>
#include <cstring>
#include <exception>

#include "client_lib/src/errors.h"
#include "client_lib/src/json.h"
#include "requestrouter/direct.h"
#include "requestrouter/requestrouter_direct.h"

using requestrouter::CallOptions;
using requestrouter::DirectClient;
using requestrouter::DirectOptions;

namespace {

constexpr int64_t kMostMs = 86'400'000;  // as of the wire's deadline_ms

}  // namespace

struct rr_direct {
  explicit rr_direct(DirectOptions options) : client(std::move(options)) {}
  DirectClient client;
};

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
    CallOptions options;
    options.deadline = std::chrono::milliseconds(std::clamp(deadline_ms, int64_t{1}, kMostMs));
    const auto reply = direct->client.Call(
        op, body_json ? body_json : "", options,
        [&](const std::string& body) { return !on_event || on_event(context, body.c_str()) != 0; });
    using requestrouter::client::DumpJson;
    using requestrouter::client::ErrorBody;
    *json = strdup((reply ? *reply : DumpJson(ErrorBody(reply.error()))).c_str());
    return reply ? 0 : 1;
  } catch (const std::exception&) {
    return 1;
  }
}

void rr_direct_text_free(char* json) { free(json); }
