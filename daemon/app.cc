#include "daemon/app.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

#include "daemon/changes.h"
#include "daemon/config/config.h"
#include "daemon/config/loopback_address.h"
#include "daemon/helper.h"
#include "daemon/insight.h"
#include "daemon/key_secrets.h"
#include "daemon/log_record.h"
#include "daemon/logging.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/ops/metrics_listener.h"
#include "daemon/ops/process_metrics.h"
#include "daemon/refresh.h"
#include "daemon/reload.h"
#include "daemon/router/key_states.h"
#include "daemon/secrets/process_environment.h"
#include "daemon/secrets/redactor.h"
#include "daemon/upstream_runner.h"
#include "ipc/quote.h"
#include "requestrouter_version.h"
#include "storage/sqlite_store.h"

namespace requestrouter {
namespace {

using config::Problem;

// Descriptors for the ROUTER's peers and the connections to providers.
constexpr rlim_t kDescriptors = 65'536;

constexpr auto kSweepInterval = std::chrono::seconds(10);
constexpr std::int64_t kSweepStep = 100;  // rows of a table

// A name in a file that is misread may be a secret in truth.
void Print(const char* who, const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", who, secrets::ProcessRedactor().Redact(message).c_str());
}

void PrintProblems(const std::vector<Problem>& problems, const char* severity) {
  for (const Problem& problem : problems) {
    Print(problem.warning ? "warning" : severity, config::ToString(problem));
  }
}

int Refuse(const std::string& message) {
  Print("routerd", message);
  return EXIT_FAILURE;
}

std::string StateDirectory(const AppOptions& options) {
  if (!options.state_dir.empty()) return options.state_dir;
  if (const char* given = std::getenv("STATE_DIRECTORY")) return given;
  if (geteuid() == 0) return "/var/lib/requestrouter";
  if (const char* xdg = std::getenv("XDG_STATE_HOME")) return std::string(xdg) + "/requestrouter";
  if (const char* home = std::getenv("HOME")) {
    return std::string(home) + "/.local/state/requestrouter";
  }
  return "/var/lib/requestrouter";
}

// As many descriptors as are allowed: libzmq ends the process when there are none left.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = std::min(limit.rlim_max, kDescriptors);
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Whoever reads the log may leave: then its lines are lost, not the daemon. Commands that give
// secrets start with the default again.
void OutliveReaders() { std::signal(SIGPIPE, SIG_IGN); }

int ActivatedSocket() { return sd_listen_fds(1) > 0 ? SD_LISTEN_FDS_START : -1; }

storage::Result<std::unique_ptr<storage::Store>> OpenStore(const AppOptions& options,
                                                           const config::Settings& settings,
                                                           ops::Meters& meters) {
  storage::SqliteOptions store;
  store.on_commit = [&meters](const storage::Commit& commit) { meters.Committed(commit); };
  store.directory = StateDirectory(options);
  store.durability =
      settings.durability_full ? storage::Durability::kFull : storage::Durability::kProcess;
  store.most_results = settings.max_results;
  store.unknown_for = std::chrono::milliseconds(settings.result_ttl).count();
  store.now = router::SystemClock().Wall();
  return storage::OpenSqliteStore(store);
}

std::uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

// Whose answers the last daemon did not live to record.
void LogUnknownOutcomes(const storage::Recovered& recovered, storage::Millis now) {
  for (const storage::UnknownAttempt& attempt : recovered.unknown) {
    if (attempt.unknown_until <= now) continue;
    const storage::AttemptOpened& opened = attempt.opened;
    spdlog::warn("unknown outcome: request {} of uid {}, sent at {} with key {} to {}",
                 ipc::Quoted(opened.request_id), opened.uid, router::Timestamp(opened.at),
                 opened.key_id, opened.model);
  }
}

// Everything that runs, in the order in which it is made; destroyed in the reverse.
class App {
 public:
  App(const AppOptions& options, config::Loaded loaded, std::unique_ptr<storage::Store> store,
      FetchedSecrets fetched, std::unique_ptr<ipc::ServerSocket> socket, int signal_fd,
      ops::Meters& meters, Logging& logging)
      : options_(options),
        at_start_(loaded.config.settings),
        logging_(logging),
        meters_(meters),
        insight_(meters, clock_),
        reloader_(options.config_path, options.env_file),
        store_(std::move(store)),
        catalog_(std::make_shared<router::Catalog>(std::move(loaded.config),
                                                   std::move(fetched.secrets))),
        dispatcher_(catalog_->ToPolicy(clock_), RandomSeed()),
        socket_(std::move(socket)),
        outbox_(*socket_),
        replies_(outbox_),
        chats_({clock_, mailbox_, *store_, upstream_, dispatcher_, replies_, traces_, insight_},
               catalog_),
        operations_({clock_, mailbox_, *store_, dispatcher_, replies_, chats_,
                     [this](auto done) { Reload(std::move(done)); }, clock_.Steady(), *socket_,
                     meters_, [this] { return logging_.lost(); }},
                    catalog_),
        loop_(LoopParts(), signal_fd),
        refresher_(reloader_, helper_, mailbox_, [this](const std::string& key_id, auto secret) {
          AdoptSecret(key_id, std::move(secret));
        }) {
    outbox_.OnGivenUp([](std::size_t replies, std::size_t bytes) {
      spdlog::warn("a client does not read: {} replies to it, {} bytes, were dropped", replies,
                   bytes);
    });
    chats_.OnKeyRefused(
        [this](const std::string& key_id) { refresher_.Refresh(key_id, clock_.Steady()); });
    meters_.Configure(catalog_, clock_.Wall());
  }

  // For Prometheus, at an address that has been checked.
  ipc::Result<void> ServeMetrics(const std::string& address) {
    auto listener = ops::MetricsListener::Listen(
        address, {mailbox_, [this](const auto& done) { operations_.GatherMetrics(done); },
                  [&meters = meters_] {
                    ops::Families families = meters.Collect();
                    ops::Append(families, ops::ProcessMetrics());
                    return families;
                  }});
    if (!listener) return tl::unexpected(listener.error());
    metrics_listener_ = std::move(*listener);
    spdlog::info("metrics are served at http://{}/metrics", metrics_listener_->address());
    return {};
  }

  void Restore(const storage::Recovered& recovered) {
    LogRecovered(recovered);
    router::RestoreQuota(recovered, *catalog_, clock_, dispatcher_);
    chats_.Restore(recovered);
  }

  void Run() {
    notify_.Ready("serving " + std::to_string(catalog_->config().keys.size()) + " keys");
    loop_.Run();
    insight_.EndTurn();
    if (chats_.uncounted() > 0) {
      spdlog::warn(
          "{} refused requests are missing from the usage: the database could not be"
          " written",
          chats_.uncounted());
    }
    if (chats_.unwritten_count() == 0) return;
    spdlog::error("the ends of {} requests are lost: the database could not be written",
                  chats_.unwritten_count());
  }

 private:
  Loop::Parts LoopParts() {
    const config::Settings& settings = catalog_->config().settings;
    ipc::Limits limits;
    limits.payload_bytes = static_cast<std::size_t>(settings.max_payload_bytes);
    limits.nesting = static_cast<std::size_t>(settings.max_nesting);
    return {clock_,
            mailbox_,
            upstream_,
            *socket_,
            outbox_,
            chats_,
            operations_,
            limits,
            settings.drain,
            [this](ipc::ErrorType type) { meters_.Malformed(type); },
            [this] { ReloadOnSignal(); },
            [this] { OnStopping(); },
            [this] { OnTurn(); },
            std::min<policy::Duration>(notify_.period() / 2, kSweepInterval)};
  }

  // After an unclean stop the database is checked, beside the requests.
  void LogRecovered(const storage::Recovered& recovered) {
    LogUnknownOutcomes(recovered, clock_.Wall());
    if (!recovered.unclean) return;
    spdlog::warn("the last routerd did not stop cleanly{}; checking the database",
                 recovered.other_boot ? ", nor did the machine" : "");
    store_->Check(storage::CheckDepth::kQuick, [](auto damage) {
      if (!damage) return spdlog::error("the check failed: {}", damage.error().message);
      for (const std::string& line : *damage) spdlog::error("the database is damaged: {}", line);
      if (damage->empty()) spdlog::info("the database is whole");
    });
  }

  void OnStopping() {
    spdlog::info("stopping: {} waiting, {} in flight", chats_.waiting_count(),
                 chats_.in_flight_count());
    notify_.Stopping(at_start_.drain);
  }

  void OnTurn() {
    const policy::Instant now = clock_.Steady();
    notify_.Alive(now);
    insight_.EndTurn();
    refresher_.FetchMissing(*catalog_, now);
    if (now < next_sweep_) return;
    next_sweep_ = now + kSweepInterval;
    Sweep();
    logging_.WarnOfLost();
  }

  // In small steps, so that turns get in between; the next one at once where this one had its fill.
  void Sweep() {
    store_->Submit(storage::Sweep{clock_.Wall(), kSweepStep}, storage::Durability::kProcess,
                   [this](const storage::Result<storage::Written>& swept) {
                     if (!swept || swept->count < kSweepStep) return;
                     mailbox_.Post([this] { next_sweep_ = {}; });
                   });
  }

  void ReloadOnSignal() {
    Reload([](ipc::Result<ops::Operations::Reloaded> reloaded) {
      if (!reloaded) spdlog::error("reload changed nothing: {}", reloaded.error().message);
    });
  }

  // Reads on the helper thread, takes effect on the router thread.
  void Reload(std::function<void(ipc::Result<ops::Operations::Reloaded>)> done) {
    notify_.Reloading();
    helper_.Post([this, done = std::move(done)] {
      auto read = std::make_shared<ipc::Result<Reloaded>>(reloader_.Read());
      mailbox_.Post([this, done, read] {
        if (*read) {
          Adopt(**read, done);
        } else {
          meters_.ReloadFailed();
          done(tl::unexpected(read->error()));
        }
        notify_.Ready("serving " + std::to_string(catalog_->config().keys.size()) + " keys");
      });
    });
  }

  void Adopt(Reloaded& read,
             const std::function<void(ipc::Result<ops::Operations::Reloaded>)>& done) {
    const config::Settings& settings = read.config.settings;
    KeepFormer(*catalog_, read.config, read.fetched);
    ops::Operations::Reloaded result{Changes(catalog_->config(), read.config), read.warnings};
    for (const auto& more : {read.fetched.warnings, WaitingForARestart(at_start_, settings)}) {
      result.warnings.insert(result.warnings.end(), more.begin(), more.end());
    }
    const auto changed = logging_.Change(LogOptionsOf(settings, options_.log_level));
    if (!changed) result.warnings.push_back(changed.error());
    UseCatalog(
        std::make_shared<router::Catalog>(std::move(read.config), std::move(read.fetched.secrets)));
    for (const std::string& warning : result.warnings) spdlog::warn("{}", warning);
    spdlog::info("reloaded: {} changes", result.changed.size());
    done(std::move(result));
  }

  void UseCatalog(std::shared_ptr<const router::Catalog> catalog) {
    catalog_ = std::move(catalog);
    TellRedactor(catalog_->secrets());
    dispatcher_.Configure(catalog_->ToPolicy(clock_), clock_.Steady());
    chats_.SetCatalog(catalog_);
    operations_.SetCatalog(catalog_);
    meters_.Configure(catalog_, clock_.Wall());
  }

  // A key that had none can be used from now on. Where the source holds another secret than the
  // provider refused, the key is used again.
  void AdoptSecret(const std::string& key_id, SecretRefresher::Fetched secret) {
    const std::shared_ptr<const secrets::Secret> former = catalog_->SecretOf(key_id);
    if (!secret || !catalog_->FindKey(key_id)) return;
    if (former && former->Reveal() == secret->Reveal()) return;
    UseCatalog(catalog_->WithSecret(key_id, std::move(secret)));
    if (!former) return spdlog::info("the secret of key {} has been fetched", key_id);
    dispatcher_.Reset(key_id, false, clock_.Steady());
    spdlog::info("the secret of key {} was refused and has been fetched again", key_id);
  }

  const router::SystemClock clock_;
  const AppOptions options_;
  const config::Settings at_start_;
  Logging& logging_;
  ops::Meters& meters_;
  Insight insight_;
  Reloader reloader_;
  Notify notify_;
  router::Mailbox mailbox_;
  std::unique_ptr<storage::Store> store_;
  std::shared_ptr<const router::Catalog> catalog_;
  policy::Dispatcher dispatcher_;
  std::unique_ptr<ipc::ServerSocket> socket_;
  router::Outbox outbox_;
  router::Replies replies_;
  router::TraceLog traces_;
  UpstreamRunner upstream_;
  router::ChatService chats_;
  ops::Operations operations_;
  Loop loop_;
  SecretRefresher refresher_;
  Helper helper_;
  policy::Instant next_sweep_{};
  std::unique_ptr<ops::MetricsListener> metrics_listener_;  // null: not asked for
};

}  // namespace

int CheckConfig(const AppOptions& options) {
  const Reloader reader(options.config_path, options.env_file);
  const auto loaded = reader.Load();
  if (!loaded) {
    PrintProblems(loaded.error(), "error");
    return EXIT_FAILURE;
  }
  PrintProblems(loaded->loaded.warnings, "warning");
  const FetchedSecrets fetched = FetchSecrets(loaded->loaded.config, loaded->environment);
  for (const std::string& line : fetched.warnings) Print("warning", line);
  const std::size_t keys = loaded->loaded.config.keys.size();
  std::printf("%s: %zu key%s, %zu with a secret: no errors\n", options.config_path.c_str(), keys,
              keys == 1 ? "" : "s", fetched.secrets.size());
  return EXIT_SUCCESS;
}

int RunApp(const AppOptions& options) {
  std::string metrics_listen = options.metrics_listen;
  if (!metrics_listen.empty()) {
    const auto address = config::LoopbackAddress(metrics_listen);
    if (!address) return Refuse("--metrics-listen " + address.error());
    metrics_listen = *address;
  }
  const int signal_fd = Loop::OpenSignals();
  RaiseDescriptorLimit();
  OutliveReaders();
  const Reloader reader(options.config_path, options.env_file);
  auto loaded = reader.Load();
  if (!loaded) {
    PrintProblems(loaded.error(), "error");
    return EXIT_FAILURE;
  }
  const config::Settings settings = loaded->loaded.config.settings;
  const auto logging = Logging::Start(LogOptionsOf(settings, options.log_level));
  if (!logging) return Refuse(logging.error());
  const auto refuse = [&logging](const std::string& message) {
    (*logging)->Flush();  // so that the reason is the last line
    return Refuse(message);
  };
  for (const Problem& warning : loaded->loaded.warnings) spdlog::warn("{}", ToString(warning));

  ops::Meters meters;
  auto store = OpenStore(options, settings, meters);
  if (!store) return refuse(store.error().message);
  const auto recovered = (*store)->Recover(router::SystemClock().Wall());
  if (!recovered) return refuse(recovered.error().message);

  FetchedSecrets fetched = FetchSecrets(loaded->loaded.config, loaded->environment);
  secrets::Wipe(loaded->environment);
  for (const std::string& line : fetched.warnings) spdlog::warn("{}", line);

  ipc::ServerSocket::Options socket_options;
  socket_options.endpoint = ipc::ResolveEndpoint(options.endpoint);
  socket_options.payload_bytes = static_cast<std::size_t>(settings.max_payload_bytes);
  socket_options.listening_fd = ActivatedSocket();
  auto socket = ipc::ServerSocket::Bind(socket_options);
  if (!socket) return refuse(socket.error().message);

  App app(options, std::move(loaded->loaded), std::move(*store), std::move(fetched),
          std::move(*socket), signal_fd, meters, **logging);
  app.Restore(*recovered);
  if (metrics_listen.empty()) metrics_listen = settings.metrics_listen;
  if (!metrics_listen.empty()) {
    if (const auto served = app.ServeMetrics(metrics_listen); !served) {
      return refuse(served.error().message);
    }
  }
  spdlog::info("routerd {} listens on {}", REQUESTROUTER_VERSION, socket_options.endpoint);
  (*logging)->Flush();  // who is told that it is ready finds the start in the log
  app.Run();
  spdlog::info("stopped");
  return EXIT_SUCCESS;
}

}  // namespace requestrouter
