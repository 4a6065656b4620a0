// One client process of `./dev bench client`: reads "FORM COUNT" lines and answers each with a line
// of JSON, the microseconds of so many chats, one after the other. Forms: `raw` (a DEALER socket
// and MessagePack, nothing else), `cpp` (Client::Chat) and `c` (rr_call_start, rr_call_next).
//
// A form sends the same request under the same id each time, so that all but the first are answered
// from the daemon's records: what is measured is the way there and back, and no provider.
#include <zmq.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "requestrouter/client.h"
#include "requestrouter/requestrouter.h"

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

constexpr const char* kPrompt = "Hello from a bench";

class RawForm {
 public:
  explicit RawForm(const std::string& endpoint) : context_(zmq_ctx_new()) {
    socket_ = zmq_socket(context_, ZMQ_DEALER);
    const int none = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    if (zmq_connect(socket_, endpoint.c_str()) != 0) throw std::runtime_error("cannot connect");
  }
  ~RawForm() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  RawForm(const RawForm&) = delete;
  RawForm& operator=(const RawForm&) = delete;

  void Chat() {
    const auto request = Json::to_msgpack(
        {{"v", 1}, {"id", "bench-raw"}, {"op", "chat"}, {"body", {{"prompt", kPrompt}}}});
    zmq_send(socket_, "", 0, ZMQ_SNDMORE);
    zmq_send(socket_, request.data(), request.size(), 0);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    do {
      if (zmq_msg_recv(&frame, socket_, 0) < 0) throw std::runtime_error(zmq_strerror(errno));
    } while (zmq_msg_more(&frame) != 0);
    const auto* data = static_cast<const std::uint8_t*>(zmq_msg_data(&frame));
    const Json reply = Json::from_msgpack(data, data + zmq_msg_size(&frame));
    zmq_msg_close(&frame);
    if (!reply.at("ok").get<bool>()) throw std::runtime_error(reply.dump());
  }

 private:
  void* const context_;
  void* socket_ = nullptr;
};

class CppForm {
 public:
  explicit CppForm(const std::string& endpoint) : client_(OptionsFor(endpoint)) {
    call_.request_id = "bench-cpp";
  }

  void Chat() {
    requestrouter::ChatRequest request;
    request.prompt = kPrompt;
    const auto reply = client_.Chat(request, call_);
    if (!reply) throw std::runtime_error(reply.error().message);
  }

 private:
  static requestrouter::ClientOptions OptionsFor(const std::string& endpoint) {
    requestrouter::ClientOptions options;
    options.endpoint = endpoint;
    return options;
  }

  requestrouter::Client client_;
  requestrouter::CallOptions call_;
};

class CForm {
 public:
  explicit CForm(const std::string& endpoint) {
    const rr_options options = {sizeof options, endpoint.c_str(), 0, 0, 0};
    client_ = rr_client_new(&options);
  }
  ~CForm() { rr_client_free(client_); }
  CForm(const CForm&) = delete;
  CForm& operator=(const CForm&) = delete;

  void Chat() {
    const rr_call_options options = {sizeof options, "bench-c", 0, 0};
    const std::string body = Json{{"prompt", kPrompt}}.dump();
    rr_call* call = rr_call_start(client_, "chat", body.c_str(), &options);
    const char* json = nullptr;
    const rr_status status = rr_call_next(call, -1, &json);
    const std::string text = json;
    rr_call_free(call);
    if (status != RR_REPLY) throw std::runtime_error(text);
  }

 private:
  rr_client* client_;
};

Json Measure(const std::function<void()>& chat, int count) {
  Json micros = Json::array();
  for (int i = 0; i < count; ++i) {
    const auto begun = Clock::now();
    chat();
    micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begun).count());
  }
  return micros;
}

void Serve(const std::string& endpoint) {
  RawForm raw(endpoint);
  CppForm cpp(endpoint);
  CForm c(endpoint);
  const std::map<std::string, std::function<void()>> forms = {
      {"raw", [&raw] { raw.Chat(); }}, {"cpp", [&cpp] { cpp.Chat(); }}, {"c", [&c] { c.Chat(); }}};
  std::string form;
  int count = 0;
  while (std::cin >> form >> count) std::cout << Measure(forms.at(form), count).dump() << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The C++ and C forms of ./dev bench client"};
  std::string endpoint;
  app.add_option("--endpoint", endpoint)->required();
  CLI11_PARSE(app, argc, argv);
  try {
    Serve(endpoint);
  } catch (const std::exception& error) {
    std::cerr << "clientbench: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
