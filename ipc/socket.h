#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/error.h"

// The ROUTER socket with PROTOCOL.md's envelope, and where to find it.
namespace requestrouter::ipc {

// The endpoint to use: `option` if not empty, else REQUESTROUTER_ENDPOINT, else
// ipc://$XDG_RUNTIME_DIR/requestrouter/router.sock for a user, else
// ipc:///run/requestrouter/router.sock.
std::string ResolveEndpoint(std::string_view option);

// Who sent a message, as the kernel says (SO_PEERCRED).
struct Peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  bool operator==(const Peer&) const = default;
};

// The return path of one request: every frame up to and including the empty delimiter.
using Envelope = std::vector<std::string>;

struct Incoming {
  Envelope envelope;
  Peer peer;
  std::string payload;
};

enum class SendStatus : std::uint8_t {
  kSent,
  kGone,  // the peer left; nothing more can reach it
  kFull,  // the peer does not read; try again after fd() has become readable, or later
};

// A bound ROUTER socket behind a ZAP handler. Router thread only.
class ServerSocket {
 public:
  struct Options {
    std::string endpoint;  // ipc:// only
    std::size_t payload_bytes = 16u << 20;
    mode_t mode = 0660;     // of the socket file
    int listening_fd = -1;  // from systemd's socket activation; -1: bind
  };

  // Binds, making the folders that are missing (0750). Takes an flock beside the socket's path
  // first, so that a second daemon on the same endpoint fails, and a stale socket file is replaced.
  // On destruction the socket file is removed (not one of systemd's) and the lock is released.
  // Every failure is kInternalError; its message names the remedy.
  static Result<std::unique_ptr<ServerSocket>> Bind(const Options& options);

  virtual ~ServerSocket() = default;

  // Readable when Receive may have something. Edge-triggered: who sleeps on it calls Receive when
  // it is readable and, whatever it says, until settled().
  virtual int fd() const = 0;

  // True: nothing can be received before fd() is readable: the last Receive found nothing, and
  // nothing was sent since, which may have taken fd()'s word of an arrival.
  virtual bool settled() const = 0;

  // The next well-formed message, or nullopt. A message is well-formed if it has an empty frame
  // within its first 64 frames and 16 KiB, exactly one frame after it, and peer credentials;
  // others are counted and dropped. A frame above twice payload_bytes ends the peer's connection.
  virtual std::optional<Incoming> Receive() = 0;

  // Never blocks. The message is sent whole or, unless kSent is returned, not at all.
  virtual SendStatus Send(const Envelope& envelope, std::string_view payload) = 0;

  // Messages that Receive dropped.
  virtual std::uint64_t dropped() const = 0;
};

}  // namespace requestrouter::ipc
