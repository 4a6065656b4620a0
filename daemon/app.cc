#include "daemon/app.h"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "daemon/admin_log.h"
#include "daemon/check_config.h"
#include "daemon/config/loopback_address.h"
#include "daemon/current_configuration.h"
#include "daemon/helper.h"
#include "daemon/insight.h"
#include "daemon/key_secrets.h"
#include "daemon/logging.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/ops/metrics_listener.h"
#include "daemon/ops/process_metrics.h"
#include "daemon/process_setup.h"
#include "daemon/refresh.h"
#include "daemon/reload.h"
#include "daemon/router/key_recorder.h"
#include "daemon/router/key_states.h"
#include "daemon/secrets/process_environment.h"
#include "daemon/upkeep.h"
#include "daemon/upstream_runner.h"
#include "requestrouter_version.h"
#include "storage/sqlite_store.h"

namespace requestrouter {
namespace {

int Refuse(const std::string& message) {
  Print("routerd", message);
  return EXIT_FAILURE;
}

storage::Result<std::unique_ptr<storage::Store>> OpenStore(const AppOptions& options,
                                                           const config::Settings& settings,
                                                           ops::Meters& meters) {
  storage::SqliteOptions store;
  store.on_commit = [&meters](const storage::Commit& commit) { meters.Committed(commit); };
  store.directory = StateDirectory(options.state_dir);
  store.durability =
      settings.durability_full ? storage::Durability::kFull : storage::Durability::kProcess;
  store.most_results = settings.max_results;
  store.unknown_for = std::chrono::milliseconds(settings.result_ttl).count();
  store.now = router::SystemClock().Wall();
  return storage::OpenSqliteStore(store);
}

ipc::Result<std::unique_ptr<ipc::ServerSocket>> OpenSocket(const std::string& endpoint,
                                                           const config::Settings& settings) {
  ipc::ServerSocket::Options options;
  options.endpoint = endpoint;
  options.payload_bytes = static_cast<std::size_t>(settings.max_payload_bytes);
  options.listening_fd = ActivatedSocket();
  return ipc::ServerSocket::Bind(options);
}

ipc::Limits LimitsOf(const config::Settings& settings) {
  ipc::Limits limits;
  limits.payload_bytes = static_cast<std::size_t>(settings.max_payload_bytes);
  limits.nesting = static_cast<std::size_t>(settings.max_nesting);
  return limits;
}

// Everything that runs, in the order in which it is made; destroyed in the reverse.
class App {
 public:
  App(const AppOptions& options, const std::shared_ptr<const router::Catalog>& catalog,
      std::unique_ptr<storage::Store> store, std::unique_ptr<ipc::ServerSocket> socket,
      int signal_fd, ops::Meters& meters, Logging& logging)
      : meters_(meters),
        insight_(meters, clock_),
        reloader_(options.config_path, options.env_file),
        store_(std::move(store)),
        dispatcher_(catalog->ToPolicy(clock_), RandomSeed()),
        keys_(clock_, mailbox_, dispatcher_, *store_, insight_),
        socket_(std::move(socket)),
        outbox_(*socket_),
        replies_(outbox_),
        users_(clock_, mailbox_, [this](auto task) { names_.Post(std::move(task)); }),
        caller_names_(users_),
        chats_({clock_, mailbox_, *store_, upstream_, dispatcher_, keys_, replies_, traces_, users_,
                caller_names_, insight_},
               catalog),
        operations_(
            {clock_, mailbox_, *store_, dispatcher_, keys_, replies_, chats_, users_, caller_names_,
             [this](auto done) { configuration_.Reload(std::move(done)); }, &LogAdminOperation,
             clock_.Steady(), *socket_, meters_, [&logging] { return logging.lost(); }},
            catalog),
        configuration_({clock_, mailbox_, helper_, reloader_, notify_, dispatcher_, keys_, chats_,
                        operations_, meters_,
                        [&logging, level = options.log_level](const config::Settings& settings) {
                          return logging.Change(LogOptionsOf(settings, level));
                        }},
                       catalog),
        refresher_(reloader_, helper_, mailbox_,
                   [this](const std::string& key_id, auto secret) {
                     configuration_.AdoptSecret(key_id, std::move(secret));
                   }),
        upkeep_(
            {clock_, mailbox_, *store_, notify_, insight_, logging, refresher_, configuration_}),
        loop_(LoopParts(catalog->config().settings), signal_fd) {
    outbox_.OnGivenUp([](std::size_t replies, std::size_t bytes) {
      spdlog::warn("a client does not read: {} replies to it, {} bytes, were dropped", replies,
                   bytes);
    });
    chats_.OnKeyRefused(
        [this](const std::string& key_id) { refresher_.Refresh(key_id, clock_.Steady()); });
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
    LogRecovered(recovered, clock_.Wall(), *store_);
    router::RestoreQuota(recovered, *configuration_.catalog(), clock_, dispatcher_);
    RestoreChats(recovered);
  }

  void Run() {
    notify_.Ready(configuration_.Status());
    ReleaseStartPages();
    loop_.Run();
    insight_.EndTurn();
    if (chats_.uncounted() > 0) {
      spdlog::warn(
          "{} requests and attempts are missing from the usage: the database could not be"
          " written",
          chats_.uncounted());
    }
    if (chats_.unwritten_count() == 0) return;
    spdlog::error(
        "the ends of {} requests and attempts are lost: the database could not be written",
        chats_.unwritten_count());
  }

 private:
  // Nobody is served before it is known what budgets have left.
  void RestoreChats(const storage::Recovered& recovered) {
    const threads::InRole here(threads::kRouterThread);
    bool is_known = false;
    chats_.Restore(recovered, [&is_known](const storage::Result<void>& read) {
      is_known = true;
      if (!read) spdlog::error("budgets begin at nothing: {}", read.error().message);
    });
    pollfd waiting{mailbox_.fd(), POLLIN, 0};
    while (!is_known) {
      poll(&waiting, 1, -1);
      mailbox_.Drain();
    }
  }

  Loop::Parts LoopParts(const config::Settings& settings) {
    return {clock_,
            mailbox_,
            upstream_,
            *socket_,
            outbox_,
            chats_,
            operations_,
            LimitsOf(settings),
            settings.drain,
            [this](ipc::ErrorType type) { meters_.Malformed(type); },
            [this](uid_t uid, pid_t pid) { ReloadOnSignal(uid, pid); },
            [this] { OnStopping(); },
            [this] { upkeep_.OnTurn(); },
            upkeep_.LongestSleep()};
  }

  void ReloadOnSignal(uid_t uid, pid_t pid) {
    spdlog::info("SIGHUP from uid {} pid {}: reloading", uid, pid);
    configuration_.Reload([](const auto&) {});
  }

  void OnStopping() {
    spdlog::info("stopping: {} waiting, {} in flight", chats_.waiting_count(),
                 chats_.in_flight_count());
    notify_.Stopping(configuration_.drain());
  }

  const router::SystemClock clock_;
  ops::Meters& meters_;
  Insight insight_;
  Reloader reloader_;
  Notify notify_;
  router::Mailbox mailbox_;
  std::unique_ptr<storage::Store> store_;
  policy::Dispatcher dispatcher_;
  router::KeyRecorder keys_;
  std::unique_ptr<ipc::ServerSocket> socket_;
  router::Outbox outbox_;
  router::Replies replies_;
  router::TraceLog traces_;
  UpstreamRunner upstream_;
  router::Users users_;
  router::CallerNames caller_names_;
  router::ChatService chats_;
  ops::Operations operations_;
  CurrentConfiguration configuration_;
  SecretRefresher refresher_;
  Upkeep upkeep_;
  Loop loop_;
  Helper helper_{"helper"};
  Helper names_{"names"};
  std::unique_ptr<ops::MetricsListener> metrics_listener_;  // null: not asked for
};

// From the log's start to the last line in it.
int Serve(const AppOptions& options, Reloader::Configuration read, int signal_fd,
          Logging& logging) {
  const auto refuse = [&logging](const std::string& message) {
    logging.Flush();  // so that the reason is the last line
    return Refuse(message);
  };
  const config::Settings settings = read.loaded.config.settings;
  for (const config::Problem& warning : read.loaded.warnings) {
    spdlog::warn("{}", ToString(warning));
  }
  ops::Meters meters;
  auto store = OpenStore(options, settings, meters);
  if (!store) return refuse(store.error().message);
  const auto recovered = (*store)->Recover(router::SystemClock().Wall());
  if (!recovered) return refuse(recovered.error().message);

  FetchedSecrets fetched = FetchSecrets(read.loaded.config, read.environment);
  secrets::Wipe(read.environment);
  for (const std::string& line : fetched.warnings) spdlog::warn("{}", line);

  const std::string endpoint = ipc::ResolveEndpoint(options.endpoint);
  auto socket = OpenSocket(endpoint, settings);
  if (!socket) return refuse(socket.error().message);

  App app(
      options,
      std::make_shared<router::Catalog>(std::move(read.loaded.config), std::move(fetched.secrets)),
      std::move(*store), std::move(*socket), signal_fd, meters, logging);
  app.Restore(*recovered);
  const std::string& metrics =
      options.metrics_listen.empty() ? settings.metrics_listen : options.metrics_listen;
  if (!metrics.empty()) {
    if (const auto served = app.ServeMetrics(metrics); !served) {
      return refuse(served.error().message);
    }
  }
  spdlog::info("routerd {} listens on {}", REQUESTROUTER_VERSION, endpoint);
  logging.Flush();  // who is told that it is ready finds the start in the log
  app.Run();
  spdlog::info("stopped");
  return EXIT_SUCCESS;
}

}  // namespace

int RunApp(AppOptions options) {
  if (!options.metrics_listen.empty()) {
    const auto address = config::LoopbackAddress(options.metrics_listen);
    if (!address) return Refuse("--metrics-listen " + address.error());
    options.metrics_listen = *address;
  }
  const int signal_fd = Loop::OpenSignals();
  RaiseDescriptorLimit();
  OutliveReaders();
  auto read = Reloader(options.config_path, options.env_file).Load();
  if (!read) {
    PrintProblems(read.error());
    return EXIT_FAILURE;
  }
  const auto logging =
      Logging::Start(LogOptionsOf(read->loaded.config.settings, options.log_level));
  if (!logging) return Refuse(logging.error());
  return Serve(options, std::move(*read), signal_fd, **logging);
}

}  // namespace requestrouter
