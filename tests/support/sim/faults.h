#pragma once

#include <optional>
#include <string>
#include <vector>

namespace requestrouter::sim {

// A misbehaviour that has been asked for, for the next `count` requests that match.
struct Fault {
  std::string kind;
  int status = 500;
  int count = 1;
  std::string key;  // empty: any
};

class Faults {
 public:
  void Add(Fault fault) { faults_.push_back(std::move(fault)); }
  void Clear() { faults_.clear(); }

  std::optional<Fault> TakeFor(const std::string& secret) {
    for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
      if (!fault->key.empty() && fault->key != secret) continue;
      const Fault taken = *fault;
      if (--fault->count == 0) faults_.erase(fault);
      return taken;
    }
    return std::nullopt;
  }

 private:
  std::vector<Fault> faults_;
};

}  // namespace requestrouter::sim
