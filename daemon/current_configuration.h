#pragma once

#include <functional>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "daemon/helper.h"
#include "daemon/notify.h"
#include "daemon/ops/meters.h"
#include "daemon/ops/operations.h"
#include "daemon/policy/dispatcher.h"
#include "daemon/refresh.h"
#include "daemon/reload.h"
#include "daemon/router/catalog.h"
#include "daemon/router/chat_service.h"
#include "daemon/router/clock.h"
#include "daemon/router/key_recorder.h"
#include "daemon/router/mailbox.h"

namespace requestrouter {

// The configuration in force, and the one place that puts another in force: everybody who goes by
// it is told here. Router thread only.
class CurrentConfiguration {
 public:
  using Reloaded = ops::Operations::Reloaded;
  using Done = std::function<void(ipc::Result<Reloaded>)>;

  // Everything that is used outlives it.
  struct Parts {
    const router::Clock& clock;
    router::Mailbox& mailbox;
    Helper& helper;
    const Reloader& reloader;
    Notify& notify;
    policy::Dispatcher& dispatcher;
    router::KeyRecorder& keys;
    router::ChatService& chats;
    ops::Operations& operations;
    ops::Meters& meters;
    // The log's level, format and file; an error changes nothing and says why.
    std::function<tl::expected<void, std::string>(const config::Settings&)> change_logging;
  };

  // `at_start` is what all of them were made with.
  CurrentConfiguration(Parts parts, std::shared_ptr<const router::Catalog> at_start);

  const std::shared_ptr<const router::Catalog>& catalog() const { return catalog_; }
  // How long requests under way are waited for at the end: as it was at the start.
  policy::Duration drain() const { return at_start_.drain; }
  // For the service manager.
  std::string Status() const;

  // Reads the configuration on the helper thread and puts it in force. One that cannot be read
  // changes nothing. `done` is called on the router thread.
  void Reload(Done done);

  // Puts one that has been read in force. Keys that stay keep counts and cooldowns; those that were
  // disabled because of what a provider said are tried again.
  Reloaded Adopt(requestrouter::Reloaded read);

  // A key's secret as it was fetched again: nullptr, or the one that is known already, changes
  // nothing. A key that had none can be used from now on; one whose secret was refused is used
  // again, with its cooldowns cleared. Other keys stay as they are.
  void AdoptSecret(const std::string& key_id, SecretRefresher::Fetched secret);

 private:
  void Announce(std::shared_ptr<const router::Catalog> catalog);

  Parts parts_;
  std::shared_ptr<const router::Catalog> catalog_;
  const config::Settings at_start_;
};

}  // namespace requestrouter
