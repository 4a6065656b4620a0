#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/helper.h"
#include "daemon/policy/types.h"
#include "daemon/reload.h"
#include "daemon/router/catalog.h"
#include "daemon/router/mailbox.h"
#include "daemon/secrets/secrets.h"

namespace requestrouter {

// Fetches keys' secrets again between reloads: one that its provider has refused, because Vault or
// the command may hold another by now, and those that Vault or a command has not given yet, because
// it may have been away when the daemon started. The settings are the file's of now. Router thread
// only; the fetching itself is done on the helper thread.
class SecretRefresher {
 public:
  // nullptr: there is none, or the configuration cannot be read.
  using Fetched = std::shared_ptr<const secrets::Secret>;
  using Done = std::function<void(const std::string& key_id, Fetched)>;

  // `done` is called on the router thread.
  SecretRefresher(const Reloader& reloader, Helper& helper, router::Mailbox& mailbox, Done done)
      : reloader_(reloader), helper_(helper), mailbox_(mailbox), done_(std::move(done)) {}

  // Does nothing where the key was fetched less than ten seconds ago: requests in flight fail
  // together, and a source that says something else each time must not become a loop.
  void Refresh(const std::string& key_id, policy::Instant now);

  // Once a turn of the loop: asks for what is missing when it is time to, after 5 s and then less
  // and less often, at last every five minutes.
  void FetchMissing(const router::Catalog& catalog, policy::Instant now);

 private:
  void Fetch(std::vector<std::string> key_ids);

  const Reloader& reloader_;
  Helper& helper_;
  router::Mailbox& mailbox_;
  const Done done_;
  std::map<std::string, policy::Instant> last_;
  policy::Instant next_round_{};
  policy::Duration pause_{};  // 0: nothing is missing
  std::size_t rounds_ = 0;
  bool fetching_ = false;  // what is missing
};

}  // namespace requestrouter
