#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace requestrouter::support {

using Json = nlohmann::ordered_json;

// A client written from PROTOCOL.md alone, with no code of ipc/: what the two disagree about shows.
// Payloads are JSON values (bytes as Json::binary) sent as MessagePack. One thread. Throws
// std::runtime_error on anything that the protocol does not allow.
class RawClient {
 public:
  enum class Kind { kReq, kDealer };

  explicit RawClient(const std::string& endpoint, Kind kind = Kind::kDealer);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // Sends a request and returns its id, which is made up where none is given. `envelope`: members
  // beside or instead of v, id, op and body, such as {"deadline_ms", 100}.
  std::string Send(std::string_view op, const Json& body = Json::object(), std::string id = {},
                   const Json& envelope = Json::object());
  void SendPayload(std::string_view payload);               // any bytes, properly enveloped
  void SendFrames(const std::vector<std::string>& frames);  // exactly these

  // The next message, decoded; nullopt after `timeout`.
  std::optional<Json> Receive(std::chrono::milliseconds timeout = std::chrono::seconds(10));
  // Receives until the final message; those before go to `partial` where it is given.
  Json ReceiveFinal(std::chrono::milliseconds timeout = std::chrono::seconds(10),
                    std::vector<Json>* partial = nullptr);
  // Send and ReceiveFinal, checking that the answer is this request's.
  Json Call(std::string_view op, const Json& body = Json::object(),
            std::chrono::milliseconds timeout = std::chrono::seconds(10));

  std::string NewId();

 private:
  struct Socket;
  std::unique_ptr<Socket> socket_;
  int next_id_ = 1;
};

}  // namespace requestrouter::support
