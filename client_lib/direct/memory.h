#pragma once

#include <map>
#include <string>
#include <vector>

#include "ipc/chat.h"
#include "requestrouter/error.h"
#include "threads/mutex.h"

namespace requestrouter::direct {

// The conversations of one process, lost with it. Any thread.
class Memory {
 public:
  // The messages to send: system prompt, history, what is new.
  std::vector<ipc::Message> Prompt(const ipc::ChatRequest& request) const;
  // Adds a turn that succeeded; system messages are not kept.
  void Add(const ipc::ChatRequest& request, ipc::Message answer);

  // The conversation operations of PROTOCOL.md, body to body.
  Result<ipc::Value> Get(const ipc::Value& body) const;
  Result<ipc::Value> Truncate(const ipc::Value& body);
  Result<ipc::Value> Delete(const ipc::Value& body);

 private:
  struct Conversation {
    std::string system_prompt;
    std::vector<ipc::Message> messages;
  };

  mutable threads::Mutex mutex_;
  std::map<std::string, Conversation> conversations_ RR_GUARDED_BY(mutex_);
};

}  // namespace requestrouter::direct
