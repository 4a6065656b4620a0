#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "daemon/config/config.h"

namespace requestrouter::secrets {

// A secret in memory that is kept out of swap and core dumps and wiped when released. Move-only.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  bool empty() const { return size_ == 0; }
  // Valid as long as this object is. Never log it.
  std::string_view Reveal() const { return {data_, size_}; }

 private:
  void Release();
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

// Fetches one key's secret from where the configuration says. May block (files, commands, HTTP):
// start-up and the helper thread only. The error says which places were looked at and the remedy,
// never a secret. Control characters in a secret are an error.
tl::expected<Secret, std::string> Fetch(const config::Key& key,
                                        const config::Settings& settings,
                                        const config::Environment& environment);

}  // namespace requestrouter::secrets
