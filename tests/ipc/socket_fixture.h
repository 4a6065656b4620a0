#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <zmq.hpp>

#include "ipc/socket.h"

namespace requestrouter::ipc {

// A folder of its own for each test, and what client and server do to meet there.
class SocketTest : public ::testing::Test {
 protected:
  SocketTest();
  ~SocketTest() override;

  std::string Path(const std::string& name = "s") const { return (folder_ / name).string(); }
  std::string Endpoint() const { return "ipc://" + Path(); }
  ServerSocket::Options Options() const;

  // A server that has to come up.
  std::unique_ptr<ServerSocket> Serve() const { return Serve(Options()); }
  static std::unique_ptr<ServerSocket> Serve(const ServerSocket::Options& options);
  // The message of the refusal to bind; fails the test where it binds.
  static std::string Refusal(const ServerSocket::Options& options);

  // A client socket of the type, connected to the endpoint.
  zmq::socket_t Connect(zmq::socket_type type);

  // Waits for the next well-formed message.
  static Incoming Await(ServerSocket& server);
  // Waits until sending to the envelope says `status`, sending as often as it takes.
  static bool AwaitStatus(ServerSocket& server, const Envelope& envelope, SendStatus status,
                          const std::string& payload);

  static void Send(zmq::socket_t& client, const std::vector<std::string>& frames);
  // The frames of the next message; empty after ten seconds without one.
  static std::vector<std::string> Receive(zmq::socket_t& client);

  zmq::context_t context_;

 private:
  std::filesystem::path folder_;
};

}  // namespace requestrouter::ipc
