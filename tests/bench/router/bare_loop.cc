// The limit that routerd approaches: its four libraries and nothing else. A message from a ROUTER
// socket is decoded, sent to the provider as JSON, its answer read, kept (where it has a conv_id)
// in SQLite together with all others that are ready, and answered. No policy, no checks, no
// journal, no retries. Commits have a thread of their own: it costs no more CPU than to commit in
// the loop, and the loop works on while the disk syncs.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "tests/bench/router/bare_committer.h"
#include "tests/bench/router/calls.h"

namespace requestrouter::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

// Messages taken from the socket in one turn.
constexpr int kReceiveAtOnce = 256;

struct Request {
  zmq::message_t client;  // its routing id
  std::string id;
  std::string prompt;
  std::string conv_id;
  Clock::time_point received;
};

std::string_view Text(const msgpack::object& value) {
  if (value.type != msgpack::type::STR) return {};
  return {value.via.str.ptr, value.via.str.size};
}

Request Decode(zmq::message_t client, const zmq::message_t& payload) {
  Request request{std::move(client), {}, {}, {}, Clock::now()};
  const msgpack::object_handle decoded = msgpack::unpack(
      payload.data<char>(), payload.size(), [](auto, auto, void*) { return true; });  // no copies
  const msgpack::object& root = decoded.get();
  for (const auto& [key, value] : root.as<std::map<std::string_view, msgpack::object>>()) {
    if (key == "id") request.id = Text(value);
    if (key != "body") continue;
    for (const auto& [name, part] : value.as<std::map<std::string_view, msgpack::object>>()) {
      if (name == "prompt") request.prompt = Text(part);
      if (name == "conv_id") request.conv_id = Text(part);
    }
  }
  return request;
}

std::string Body(const Request& request, const std::string& model) {
  return Json{{"model", model},
              {"messages", Json::array({{{"role", "user"}, {"content", request.prompt}}})},
              {"max_tokens", 2048},
              {"temperature", 0.7},
              {"stream", false}}
      .dump();
}

struct Read {
  std::string content;
  std::string finish_reason;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

Read Parse(const std::string& body) {
  const Json answer = Json::parse(body);
  const Json& choice = answer.at("choices").at(0);
  const Json& usage = answer.at("usage");
  return {choice.at("message").at("content"), choice.at("finish_reason"), usage.at("prompt_tokens"),
          usage.at("completion_tokens")};
}

// Appends to a string, as msgpack's packer wants it.
struct Sink {
  std::string bytes;
  void write(const char* data, std::size_t size) { bytes.append(data, size); }
};

class Packer {
 public:
  void Map(std::uint32_t size) { packer_.pack_map(size); }
  void Name(std::string_view name) { packer_.pack(name); }
  template <typename Value>
  void Field(std::string_view name, const Value& value) {
    packer_.pack(name);
    packer_.pack(value);
  }
  std::string Take() { return std::move(sink_.bytes); }

 private:
  Sink sink_;
  msgpack::packer<Sink> packer_{sink_};
};

std::string Failure(const Request& request, const std::string& message) {
  Packer packer;
  packer.Map(5);
  packer.Field("v", 1);
  packer.Field("id", request.id);
  packer.Field("final", true);
  packer.Field("ok", false);
  packer.Name("error");
  packer.Map(3);
  packer.Field("type", std::string_view("upstream_unavailable"));
  packer.Field("message", message);
  packer.Field("retryable", true);
  return packer.Take();
}

std::string Success(const Request& request, const Read& read) {
  Packer packer;
  packer.Map(5);
  packer.Field("v", 1);
  packer.Field("id", request.id);
  packer.Field("final", true);
  packer.Field("ok", true);
  packer.Name("body");
  packer.Map(17);
  packer.Field("success", true);
  packer.Field("content", read.content);
  packer.Field("model", std::string_view("gpt-5-mini"));
  packer.Field("model_requested", std::string_view());
  packer.Field("provider", std::string_view("openai"));
  packer.Field("key_id", std::string_view("k1"));
  packer.Name("tokens");
  packer.Map(5);
  packer.Field("input", read.input_tokens);
  packer.Field("output", read.output_tokens);
  packer.Field("total", read.input_tokens + read.output_tokens);
  packer.Field("cached", 0);
  packer.Field("reasoning", 0);
  packer.Field("finish_reason", read.finish_reason);
  packer.Field("tool_calls", std::vector<int>());
  packer.Field("conversation_id", request.conv_id);
  packer.Field("attempts", 1);
  packer.Field("waited_ms", 0);
  packer.Field("duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(
                                  Clock::now() - request.received)
                                  .count());
  packer.Field("fallback", false);
  packer.Field("persisted", !request.conv_id.empty());
  packer.Field("replayed", false);
  packer.Field("warnings", std::vector<int>());
  return packer.Take();
}

class BareLoop {
 public:
  BareLoop(const std::string& endpoint, const std::string& url, const std::string& directory,
           std::string model)
      : model_(std::move(model)),
        socket_(context_, zmq::socket_type::router),
        calls_(url),
        committer_(directory) {
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.set(zmq::sockopt::rcvhwm, 0);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.bind(endpoint);
    calls_.Watch(socket_.get(zmq::sockopt::fd));
    calls_.Watch(committer_.fd());
  }

  void Run() {
    for (;;) {
      const bool more = ReceiveSome();
      calls_.Turn(more ? std::chrono::nanoseconds(0) : std::chrono::nanoseconds(-1));
      Calls::Answer answer;
      while (calls_.Next(&answer)) Finish(answer);
      if (!turns_.empty()) committer_.Submit(&turns_);
      for (BareTurn& turn : committer_.TakeCommitted()) Reply(turn.client, turn.reply);
    }
  }

 private:
  // Whether there may be more; the descriptor is edge-triggered, so it says nothing of what is
  // left.
  bool ReceiveSome() {
    for (int i = 0; i < kReceiveAtOnce; ++i) {
      zmq::message_t client;
      if (!socket_.recv(client, zmq::recv_flags::dontwait)) return false;
      zmq::message_t part;
      do {
        static_cast<void>(socket_.recv(part));
      } while (part.more());
      Start(Decode(std::move(client), part));
    }
    return true;
  }

  void Start(Request request) {
    const std::uint64_t tag = ++last_tag_;
    std::string body = Body(request, model_);
    under_way_.emplace(tag, std::move(request));
    calls_.Start(tag, std::move(body));
  }

  void Finish(const Calls::Answer& answer) {
    const auto found = under_way_.find(answer.tag);
    Request request = std::move(found->second);
    under_way_.erase(found);
    if (answer.status != 200) {
      const std::string status = "the provider answered " + std::to_string(answer.status);
      return Reply(request.client, Failure(request, answer.status ? status : answer.error));
    }
    Read read = Parse(answer.body);
    std::string reply = Success(request, read);
    if (request.conv_id.empty()) return Reply(request.client, reply);
    turns_.push_back({std::move(request.client), std::move(request.id), std::move(request.conv_id),
                      std::move(request.prompt), std::move(read.content), std::move(reply),
                      read.input_tokens, read.output_tokens});
  }

  void Reply(zmq::message_t& client, std::string_view payload) {
    socket_.send(client, zmq::send_flags::sndmore);
    socket_.send(zmq::message_t(), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(payload), zmq::send_flags::none);
  }

  const std::string model_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  Calls calls_;
  BareCommitter committer_;
  std::uint64_t last_tag_ = 0;
  std::unordered_map<std::uint64_t, Request> under_way_;
  std::vector<BareTurn> turns_;  // to commit
};

int Main(int argc, char** argv) {
  CLI::App app{"The four libraries of routerd in a bare loop, for ./dev bench router"};
  std::string endpoint;
  std::string url;
  std::string directory;
  std::string model;
  app.add_option("--endpoint", endpoint, "to bind, ipc://…")->required();
  app.add_option("--url", url, "of the provider's chat completions")->required();
  app.add_option("--state-dir", directory, "for its database")->required();
  app.add_option("--model", model, "to ask for")->required();
  CLI11_PARSE(app, argc, argv);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  try {
    BareLoop(endpoint, url, directory, model).Run();
  } catch (const std::exception& error) {
    std::cerr << "bare_loop: " << error.what() << "\n";
  }
  return 1;
}

}  // namespace
}  // namespace requestrouter::bench

int main(int argc, char** argv) { return requestrouter::bench::Main(argc, argv); }
