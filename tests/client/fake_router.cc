#include "tests/client/fake_router.h"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <zmq.hpp>

namespace requestrouter::testing {
namespace {

constexpr std::chrono::seconds kPatience{20};

class ZmqResponder final : public Responder {
 public:
  ZmqResponder(zmq::socket_t& socket, std::string routing_id, std::string id)
      : socket_(socket), routing_id_(std::move(routing_id)), id_(std::move(id)) {}

  void Event(const Value& body) override { Send(false, true, "body", body); }
  void Final(const Value& body) override { Send(true, true, "body", body); }
  void Fail(const std::string& type, const std::string& message, const Value& more) override {
    Value error = {{"type", type}, {"message", message}, {"retryable", false}};
    error.update(more);
    Send(true, false, "error", error);
  }
  void FailOther(const std::string& id, const std::string& type,
                 const std::string& message) override {
    ZmqResponder(socket_, routing_id_, id).Fail(type, message, Value::object());
  }
  void Raw(const Value& payload) override {
    std::string bytes;
    Value::to_msgpack(payload, bytes);
    socket_.send(zmq::buffer(routing_id_), zmq::send_flags::sndmore);
    socket_.send(zmq::message_t(), zmq::send_flags::sndmore);
    socket_.send(zmq::buffer(bytes), zmq::send_flags::none);
  }

 private:
  void Send(bool final, bool ok, const std::string& part, const Value& value) {
    Raw({{"v", 1}, {"id", id_}, {"final", final}, {"ok", ok}, {part, value}});
  }

  zmq::socket_t& socket_;
  const std::string routing_id_;
  const std::string id_;
};

}  // namespace

FakeRouter::FakeRouter() {
  std::string pattern = (std::filesystem::temp_directory_path() / "rr_client_XXXXXX").string();
  directory_ = mkdtemp(pattern.data());
}

FakeRouter::~FakeRouter() {
  Stop();
  std::filesystem::remove_all(directory_);
}

void FakeRouter::On(const std::string& op, Handler handler) { handlers_[op] = std::move(handler); }

void FakeRouter::Answer(const std::string& op, Value body) {
  On(op, [body = std::move(body)](const Value&, Responder& out) { out.Final(body); });
}

void FakeRouter::Start() {
  stop_fd_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { Serve(); });
}

void FakeRouter::Stop() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  if (write(stop_fd_, &one, sizeof one) != sizeof one) std::abort();
  thread_.join();
  close(stop_fd_);
}

std::vector<Value> FakeRouter::WaitFor(const std::string& op, std::size_t count) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, kPatience, [&] { return received_[op].size() >= count; })) {
    ADD_FAILURE() << "only " << received_[op].size() << " requests of " << op << " came";
  }
  return received_[op];
}

std::vector<Value> FakeRouter::Received(const std::string& op) {
  const std::lock_guard lock(mutex_);
  return received_[op];
}

void FakeRouter::Serve() {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::router);
  socket.set(zmq::sockopt::linger, 1000);
  socket.bind(endpoint());
  std::array<zmq::pollitem_t, 2> items = {
      {{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, stop_fd_, ZMQ_POLLIN, 0}}};
  while (true) {
    zmq::poll(items.data(), items.size(), std::chrono::milliseconds(-1));
    if (items[1].revents != 0) return;
    std::vector<std::string> frames;
    zmq::message_t frame;
    do {
      if (!socket.recv(frame)) return;
      frames.push_back(frame.to_string());
    } while (frame.more());
    if (frames.size() != 3 || !frames[1].empty()) std::abort();
    const Value request = Value::from_msgpack(frames[2]);
    const std::string op = request.at("op");
    ZmqResponder out(socket, frames[0], request.at("id"));
    {
      const std::lock_guard lock(mutex_);
      received_[op].push_back(request);
    }
    const auto handler = handlers_.find(op);
    if (handler != handlers_.end()) {
      handler->second(request, out);
    } else {
      out.Fail("unknown_op", "no such operation: " + op, Value::object());
    }
    changed_.notify_all();
  }
}

}  // namespace requestrouter::testing
