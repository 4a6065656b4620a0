#pragma once

#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace requestrouter::secrets {

// A stand-in for Vault: HTTP/1.1 on a loopback port of the kernel's choice, one answer a path. It
// is not Vault, but it reads and writes real HTTP and refuses a wrong token as Vault does.
class VaultStandIn {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    bool silent = false;  // accepts the request and never answers
  };

  explicit VaultStandIn(std::string token);
  ~VaultStandIn();
  VaultStandIn(const VaultStandIn&) = delete;
  VaultStandIn& operator=(const VaultStandIn&) = delete;

  // Before the first request.
  void Put(const std::string& path, Answer answer) { answers_[path] = std::move(answer); }

  std::string address() const;
  std::vector<std::string> requests() const;  // what came, request lines and headers

 private:
  void Serve();
  void Handle(int connection);
  std::string ReadRequest(int connection) const;

  const std::string token_;
  std::map<std::string, Answer> answers_;
  int listener_ = -1;
  int stop_ = -1;  // an eventfd
  int port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace requestrouter::secrets
