#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "daemon/upstream/client.h"
#include "daemon/upstream/dialect.h"
#include "tests/upstream/http_server.h"

namespace requestrouter::upstream {

// A provider's encoding that a test can read: the model is the body, the key is in "x-key", the
// answer "ok:<content>". Streamed data is a piece of text, "[DONE]", "error:<code>" or
// "unreadable". An error body is read when it begins with "{".
class PlainDialect final : public Dialect {
 public:
  tl::expected<HttpRequest, std::string> Encode(const Attempt& attempt) const override;
  tl::expected<Answer, std::string> Decode(std::string_view body) const override;
  std::unique_ptr<StreamDecoder> NewStreamDecoder() const override;
  ProviderError DecodeError(std::string_view body) const override;
};

// Keeps what a client reports, for the test's thread to wait for.
class Reports final : public Listener {
 public:
  void OnDelta(std::int64_t attempt_id, ipc::ChatDelta delta) override;
  void OnOutcome(std::int64_t attempt_id, Outcome outcome) override;

  Outcome WaitForOutcome(std::int64_t attempt_id);
  void WaitForText(std::int64_t attempt_id, std::size_t bytes);
  std::string Text(std::int64_t attempt_id);  // of all deltas so far
  std::size_t Deltas(std::int64_t attempt_id);
  std::vector<std::int64_t> order();  // ids in the order of their outcomes
  bool Ended(std::int64_t attempt_id);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::int64_t, std::string> texts_;
  std::map<std::int64_t, std::size_t> deltas_;
  std::map<std::int64_t, Outcome> outcomes_;
  std::vector<std::int64_t> order_;
};

TransferOptions PlainOptions();

// An attempt at a server's address: not streamed, without a prompt, long time-outs.
Attempt PlainAttempt(std::int64_t id, const std::string& url);
Attempt StreamedAttempt(std::int64_t id, const std::string& url);

// The same provider with one setting changed; the attempts' provider is immutable.
template <typename Change>
void ChangeProvider(Attempt& attempt, Change change) {
  auto provider = std::make_shared<Provider>(*attempt.provider);
  change(*provider);
  attempt.provider = std::move(provider);
}

// A server, a client and what the client reported.
class HttpFixture {
 public:
  explicit HttpFixture(HttpServer::Script script, TransferOptions options = PlainOptions())
      : server(std::move(script)), client(&reports, std::move(options)) {}

  Outcome Run(Attempt attempt);
  Outcome Ask(std::int64_t id = 1) { return Run(PlainAttempt(id, server.url())); }
  Outcome AskForAStream(std::int64_t id = 1) { return Run(StreamedAttempt(id, server.url())); }

  HttpServer server;
  Reports reports;
  Client client;
};

}  // namespace requestrouter::upstream
