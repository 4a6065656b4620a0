#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "daemon/helper.h"
#include "daemon/policy/types.h"
#include "daemon/reload.h"
#include "daemon/router/mailbox.h"
#include "daemon/secrets/secrets.h"

namespace requestrouter {

// Fetches a key's secret again after its provider has refused it: Vault or the command may hold
// another by now. The settings are the file's of now. Router thread only; the fetching itself is
// done on the helper thread.
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

 private:
  const Reloader& reloader_;
  Helper& helper_;
  router::Mailbox& mailbox_;
  const Done done_;
  std::map<std::string, policy::Instant> last_;
};

}  // namespace requestrouter
