#include "daemon/ops/metrics_listener.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <condition_variable>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "threads/mutex.h"

namespace requestrouter::ops {
namespace {

// Two threads are enough for a scraper and a curious person; a client that connects and says
// nothing holds one of them for so long.
const std::vector<std::string> kServer = {"num_threads", "2", "request_timeout_ms", "5000"};

// What scrapes under way wait on. Shared with their answers, which may come when all is over.
struct Waiting {
  threads::Mutex mutex;
  std::condition_variable changed;
  bool closing RR_GUARDED_BY(mutex) = false;
};

class Source final : public prometheus::Collectable {
 public:
  explicit Source(MetricsListener::Sources sources) : sources_(std::move(sources)) {}

  Families Collect() const override {
    const auto answer = std::make_shared<std::optional<Families>>();  // guarded by waiting's mutex
    sources_.mailbox.Post([gather = sources_.gather, waiting = waiting_, answer] {
      gather([waiting, answer](Families families) {
        const threads::Lock lock(waiting->mutex);
        answer->emplace(std::move(families));
        waiting->changed.notify_all();
      });
    });
    threads::Lock lock(waiting_->mutex);
    lock.WaitFor(waiting_->changed, sources_.patience, [&]() RR_REQUIRES(waiting_->mutex) {
      return answer->has_value() || waiting_->closing;
    });
    const bool in_time = answer->has_value();
    Families families = in_time ? std::move(**answer) : sources_.without_router();
    families.push_back(Single(prometheus::MetricType::Gauge, "requestrouter_router_responding",
                              "Whether routerd's main thread answered this scrape in time; where"
                              " not, what it alone knows is missing.",
                              in_time ? 1 : 0));
    return families;
  }

  void Close() {
    const threads::Lock lock(waiting_->mutex);
    waiting_->closing = true;
    waiting_->changed.notify_all();
  }

 private:
  const MetricsListener::Sources sources_;
  const std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>();
};

std::vector<std::string> ServerOptions(const std::string& address) {
  std::vector<std::string> options = {"listening_ports", address};
  options.insert(options.end(), kServer.begin(), kServer.end());
  return options;
}

}  // namespace

class MetricsListener::Impl {
 public:
  Impl(const std::string& address, Sources sources)
      : source_(std::make_shared<Source>(std::move(sources))), exposer_(ServerOptions(address)) {
    exposer_.RegisterCollectable(source_);
  }
  ~Impl() { source_->Close(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  int port() const { return exposer_.GetListeningPorts().at(0); }

 private:
  const std::shared_ptr<Source> source_;
  prometheus::Exposer exposer_;  // destroyed first: joins its threads
};

MetricsListener::MetricsListener(std::unique_ptr<Impl> impl, std::string address)
    : impl_(std::move(impl)), address_(std::move(address)) {}

MetricsListener::~MetricsListener() = default;

ipc::Result<std::unique_ptr<MetricsListener>> MetricsListener::Listen(const std::string& address,
                                                                      Sources sources) {
  try {
    auto impl = std::make_unique<Impl>(address, std::move(sources));
    const std::string host = address.substr(0, address.rfind(':') + 1);
    std::string bound = host + std::to_string(impl->port());
    return std::unique_ptr<MetricsListener>(new MetricsListener(std::move(impl), std::move(bound)));
  } catch (const std::exception&) {  // CivetWeb says no more than that it failed
    return ipc::Fail(ipc::ErrorType::kInternalError,
                     "cannot serve metrics on " + address +
                         ": the port is in use, or may not be used; choose another one with"
                         " --metrics-listen or config.metrics_listen");
  }
}

}  // namespace requestrouter::ops
