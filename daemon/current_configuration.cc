#include "daemon/current_configuration.h"

#include <spdlog/spdlog.h>

#include <utility>

#include "daemon/changes.h"
#include "daemon/key_secrets.h"

namespace requestrouter {
namespace {

void Append(std::vector<std::string>& lines, const std::vector<std::string>& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

CurrentConfiguration::CurrentConfiguration(Parts parts,
                                           std::shared_ptr<const router::Catalog> at_start)
    : parts_(std::move(parts)),
      catalog_(std::move(at_start)),
      at_start_(catalog_->config().settings) {
  parts_.meters.Configure(catalog_, parts_.clock.Wall());
}

std::string CurrentConfiguration::Status() const {
  return "serving " + std::to_string(catalog_->config().keys.size()) + " keys";
}

void CurrentConfiguration::Reload(Done done) {
  parts_.notify.Reloading();
  parts_.helper.Post([this, done = std::move(done)] {
    auto read = std::make_shared<ipc::Result<requestrouter::Reloaded>>(parts_.reloader.Read());
    parts_.mailbox.Post([this, done, read] {
      if (*read) {
        done(Adopt(std::move(**read)));
      } else {
        spdlog::error("reload changed nothing: {}", read->error().message);
        parts_.meters.ReloadFailed();
        done(tl::unexpected(read->error()));
      }
      parts_.notify.Ready(Status());
    });
  });
}

CurrentConfiguration::Reloaded CurrentConfiguration::Adopt(requestrouter::Reloaded read) {
  const config::Settings& settings = read.config.settings;
  KeepFormer(*catalog_, read.config, read.fetched);
  Reloaded result{Changes(catalog_->config(), read.config), std::move(read.warnings)};
  Append(result.warnings, read.fetched.warnings);
  Append(result.warnings, WaitingForARestart(at_start_, settings));
  if (const auto changed = parts_.change_logging(settings); !changed) {
    result.warnings.push_back(changed.error());
  }
  Announce(
      std::make_shared<router::Catalog>(std::move(read.config), std::move(read.fetched.secrets)));
  parts_.dispatcher.Configure(catalog_->ToPolicy(parts_.clock), parts_.clock.Steady());
  parts_.keys.Record(policy::FaultKind::kNone);
  for (const std::string& warning : result.warnings) spdlog::warn("{}", warning);
  spdlog::info("reloaded: {} changes", result.changed.size());
  return result;
}

void CurrentConfiguration::AdoptSecret(const std::string& key_id, SecretRefresher::Fetched secret) {
  const std::shared_ptr<const secrets::Secret> former = catalog_->SecretOf(key_id);
  if (!secret || !catalog_->FindKey(key_id)) return;
  if (former && former->Reveal() == secret->Reveal()) return;
  Announce(catalog_->WithSecret(key_id, std::move(secret)));
  parts_.dispatcher.SetHasSecret(key_id, true);
  if (former) {
    parts_.dispatcher.Reset(key_id, false, parts_.clock.Steady());
    spdlog::info("the secret of key {} was refused and has been fetched again", key_id);
  } else {
    spdlog::info("the secret of key {} has been fetched", key_id);
  }
  parts_.keys.Record(policy::FaultKind::kNone);
}

void CurrentConfiguration::Announce(std::shared_ptr<const router::Catalog> catalog) {
  catalog_ = std::move(catalog);
  TellRedactor(catalog_->secrets());
  parts_.chats.SetCatalog(catalog_);
  parts_.operations.SetCatalog(catalog_);
  parts_.meters.Configure(catalog_, parts_.clock.Wall());
}

}  // namespace requestrouter
