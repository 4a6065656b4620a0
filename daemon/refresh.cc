#include "daemon/refresh.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "daemon/key_secrets.h"
#include "daemon/secrets/process_environment.h"

namespace requestrouter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPause = std::chrono::seconds(10);  // between two refreshes of one key

constexpr auto kLookInterval = std::chrono::seconds(10);  // whether anything is missing
constexpr policy::Duration kFirstRetry = std::chrono::seconds(5);
constexpr policy::Duration kLastRetry = std::chrono::minutes(5);
// So that what waits for the helper thread, such as a reload, does not wait for all sources that
// are away.
constexpr auto kLongestRound = std::chrono::seconds(10);

SecretRefresher::Fetched FetchOne(const Reloader::Configuration& read, const std::string& key_id) {
  const std::vector<config::Key>& keys = read.loaded.config.keys;
  const auto key = std::find_if(keys.begin(), keys.end(),
                                [&](const config::Key& one) { return one.key_id == key_id; });
  if (key == keys.end() || !key->active) return nullptr;
  auto secret = secrets::Fetch(*key, read.loaded.config.settings, read.environment);
  if (secret) return std::make_shared<const secrets::Secret>(std::move(*secret));
  spdlog::debug("{}", secret.error());
  return nullptr;
}

}  // namespace

void SecretRefresher::Refresh(const std::string& key_id, policy::Instant now) {
  const auto [last, is_first] = last_.try_emplace(key_id, now);
  if (!is_first && now - last->second < kPause) return;
  last->second = now;
  Fetch({key_id});
}

void SecretRefresher::FetchMissing(const router::Catalog& catalog, policy::Instant now) {
  if (now < next_round_ || fetching_) return;
  std::vector<std::string> missing;
  for (const config::Key& key : catalog.config().keys) {
    if (key.active && IsRemote(key.secret) && !catalog.SecretOf(key.key_id)) {
      missing.push_back(key.key_id);
    }
  }
  const bool is_new = pause_ == policy::Duration::zero();
  pause_ = missing.empty() ? policy::Duration::zero()
           : is_new        ? kFirstRetry
                           : std::min(2 * pause_, kLastRetry);
  next_round_ = now + (missing.empty() ? policy::Duration(kLookInterval) : pause_);
  if (missing.empty() || is_new) return;
  // Another one goes first each time, so that none waits for ever behind those that take long.
  std::rotate(missing.begin(),
              missing.begin() + static_cast<std::ptrdiff_t>(++rounds_ % missing.size()),
              missing.end());
  fetching_ = true;
  Fetch(std::move(missing));
  helper_.Post([this] { mailbox_.Post([this] { fetching_ = false; }); });
}

void SecretRefresher::Fetch(std::vector<std::string> key_ids) {
  helper_.Post([this, key_ids = std::move(key_ids)] {
    auto read = reloader_.Load();
    const Clock::time_point end = Clock::now() + kLongestRound;
    for (const std::string& key_id : key_ids) {
      if (Clock::now() >= end) break;
      Fetched secret = read ? FetchOne(*read, key_id) : nullptr;
      mailbox_.Post([this, key_id, secret = std::move(secret)] { done_(key_id, secret); });
    }
    if (read) secrets::Wipe(read->environment);
  });
}

}  // namespace requestrouter
