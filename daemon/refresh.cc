#include "daemon/refresh.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace requestrouter {
namespace {

constexpr auto kPause = std::chrono::seconds(10);

SecretRefresher::Fetched Fetch(const Reloader& reloader, const std::string& key_id) {
  const auto read = reloader.Load();
  if (!read) return nullptr;
  const std::vector<config::Key>& keys = read->loaded.config.keys;
  const auto key = std::find_if(keys.begin(), keys.end(),
                                [&](const config::Key& one) { return one.key_id == key_id; });
  if (key == keys.end() || !key->active) return nullptr;
  auto secret = secrets::Fetch(*key, read->loaded.config.settings, read->environment);
  if (secret) return std::make_shared<const secrets::Secret>(std::move(*secret));
  spdlog::warn("{}", secret.error());
  return nullptr;
}

}  // namespace

void SecretRefresher::Refresh(const std::string& key_id, policy::Instant now) {
  const auto [last, is_first] = last_.try_emplace(key_id, now);
  if (!is_first && now - last->second < kPause) return;
  last->second = now;
  helper_.Post([this, key_id] {
    Fetched secret = Fetch(reloader_, key_id);
    mailbox_.Post([this, key_id, secret = std::move(secret)] { done_(key_id, secret); });
  });
}

}  // namespace requestrouter
