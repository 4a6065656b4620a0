// A load client of routerd, one process of several: sends one-shot or stored chats and prints, as
// one line of JSON, how many were answered, how many failed, and every latency in microseconds.
// Closed loop: --in-flight requests are kept outstanding. Open loop: --rate requests a second are
// due at fixed instants, and a latency counts from the instant a request was due, so a server that
// falls behind cannot hide it by slowing its clients down.
#include <unistd.h>
#include <zmq.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

struct Options {
  std::string endpoint;
  int in_flight = 1;
  double rate = 0;  // requests a second; 0 = closed loop
  double seconds = 2;
  int bytes = 1024;  // of the prompt
  bool stored = false;
};

class Load {
 public:
  explicit Load(const Options& options)
      : options_(options), prefix_(std::to_string(getpid()) + "-"), prompt_(options.bytes, 'x') {
    context_ = zmq_ctx_new();
    socket_ = zmq_socket(context_, ZMQ_DEALER);
    const int none = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(socket_, ZMQ_SNDHWM, &none, sizeof none);
    zmq_setsockopt(socket_, ZMQ_RCVHWM, &none, sizeof none);
  }
  ~Load() {
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  bool Run() {
    if (zmq_connect(socket_, options_.endpoint.c_str()) != 0) return false;
    const auto start = Clock::now();
    const auto end = start + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(options_.seconds));
    const auto patience = end + std::chrono::seconds(10);
    while (Clock::now() < end || (!due_.empty() && Clock::now() < patience)) {
      if (Clock::now() < end) SendWhatIsDue(start);
      Receive();
    }
    seconds_ = std::chrono::duration<double>(Clock::now() - start).count();
    return true;
  }

  Json Report() const {
    return {{"answered", latencies_.size()}, {"failed", failed_},    {"unanswered", due_.size()},
            {"seconds", seconds_},           {"error", last_error_}, {"latencies_us", latencies_}};
  }

 private:
  void SendWhatIsDue(Clock::time_point start) {
    if (options_.rate <= 0) {
      while (due_.size() < static_cast<std::size_t>(options_.in_flight)) Send(Clock::now());
      return;
    }
    const std::chrono::duration<double> passed = Clock::now() - start;
    const auto wanted = static_cast<std::int64_t>(passed.count() * options_.rate);
    while (sent_ < wanted) {
      const std::chrono::duration<double> at(static_cast<double>(sent_ + 1) / options_.rate);
      Send(start + std::chrono::duration_cast<Clock::duration>(at));
    }
  }

  void Send(Clock::time_point due) {
    const std::string id = prefix_ + std::to_string(++sent_);
    Json body = {{"prompt", prompt_}};
    if (options_.stored) body["conv_id"] = id;
    const auto payload =
        Json::to_msgpack({{"v", 1}, {"id", id}, {"op", "chat"}, {"body", std::move(body)}});
    due_.emplace(id, due);
    zmq_send(socket_, "", 0, ZMQ_SNDMORE);
    zmq_send(socket_, payload.data(), payload.size(), 0);
  }

  void Receive() {
    zmq_pollitem_t item{socket_, 0, ZMQ_POLLIN, 0};
    if (zmq_poll(&item, 1, options_.rate > 0 ? 1 : 10) <= 0) return;
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    while (zmq_msg_recv(&frame, socket_, ZMQ_DONTWAIT) >= 0) {
      if (zmq_msg_size(&frame) > 0) Take(frame);
    }
    zmq_msg_close(&frame);
  }

  void Take(zmq_msg_t& frame) {
    const auto now = Clock::now();
    const auto* data = static_cast<const std::uint8_t*>(zmq_msg_data(&frame));
    const Json reply = Json::from_msgpack(data, data + zmq_msg_size(&frame));
    const auto found = due_.find(reply.at("id").get<std::string>());
    if (found == due_.end()) return;
    if (reply.at("ok").get<bool>()) {
      latencies_.push_back(
          std::chrono::duration_cast<std::chrono::microseconds>(now - found->second).count());
    } else {
      ++failed_;
      last_error_ = reply.at("error").at("message").get<std::string>();
    }
    due_.erase(found);
  }

  const Options options_;
  const std::string prefix_;
  const std::string prompt_;
  void* context_ = nullptr;
  void* socket_ = nullptr;
  std::int64_t sent_ = 0;
  std::int64_t failed_ = 0;
  double seconds_ = 0;
  std::string last_error_;
  std::unordered_map<std::string, Clock::time_point> due_;
  std::vector<std::int64_t> latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Load for routerd: one client process"};
  Options options;
  app.add_option("--endpoint", options.endpoint)->required();
  app.add_option("--in-flight", options.in_flight)->check(CLI::Range(1, 100'000));
  app.add_option("--rate", options.rate)->check(CLI::NonNegativeNumber);
  app.add_option("--seconds", options.seconds)->check(CLI::PositiveNumber);
  app.add_option("--bytes", options.bytes)->check(CLI::Range(1, 1 << 20));
  app.add_flag("--stored", options.stored);
  CLI11_PARSE(app, argc, argv);
  Load load(options);
  if (!load.Run()) {
    std::cerr << "routerbench: cannot connect to " << options.endpoint << "\n";
    return 1;
  }
  std::cout << load.Report().dump() << "\n";
  return 0;
}
