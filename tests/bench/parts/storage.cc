#include "storage/tables.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <deque>
#include <filesystem>
#include <string>

#include "storage/attempt_log.h"
#include "storage/schema.h"
#include "storage/sums.h"
#include "tests/bench/parts/samples.h"

// Rows, in transactions of 64 requests that are not synced: the disk's part is ./dev bench storage.
namespace requestrouter::bench {
namespace {

using std::filesystem::path;

constexpr int kGroup = 64;

// A database of its own, deleted at the end.
class Fixture {
 public:
  Fixture()
      : folder(MakeFolder()), database(folder / "bench.db", storage::Database::Mode::kReadWrite) {
    storage::Migrate(database);
    database.Execute("PRAGMA synchronous = OFF");
  }
  ~Fixture() { std::filesystem::remove_all(folder); }
  Fixture(const Fixture&) = delete;
  Fixture& operator=(const Fixture&) = delete;

 private:
  static path MakeFolder() {
    std::string name = std::filesystem::temp_directory_path() / "rr-parts-XXXXXX";
    if (!mkdtemp(name.data())) std::abort();
    return name;
  }

 public:
  const path folder;
  storage::Database database;
};

storage::AttemptOpened Opened(std::int64_t id) {
  storage::AttemptOpened attempt;
  attempt.attempt_id = id;
  attempt.request_id = "request-" + std::to_string(id);
  attempt.body_digest = std::string(16, 'd');
  attempt.key_id = attempt.quota_group = "k1";
  attempt.model = "gpt-5-mini";
  attempt.at = 1'700'000'000'000 + id;
  attempt.input_tokens = 256;
  attempt.output_tokens = 512;
  return attempt;
}

// An attempt appended to the log before it is sent, and closed with others.
void JournalRow(benchmark::State& state) {
  Fixture fixture;
  storage::AttemptLog log(fixture.folder / "attempts", {1, 1});
  std::int64_t id = 0;
  for (auto _ : state) {
    storage::Sums sums;
    for (int i = 0; i < kGroup; ++i) {
      if (!log.Open(Opened(++id))) return state.SkipWithError("the log could not be written");
      sums.Close(*log.Find(id), {id, true, 256, 50});
    }
    storage::Transaction transaction(fixture.database);
    const std::vector<std::int64_t> closed = sums.WriteTo(fixture.database);
    transaction.Commit();
    log.Close(closed);
    if (log.NeedsRenewal()) log.Renew();
  }
  state.SetItemsProcessed(state.iterations() * kGroup);
}
BENCHMARK(JournalRow)->Unit(benchmark::kMicrosecond);

storage::Turn TurnOf(std::int64_t id) {
  storage::Turn turn;
  turn.conv_id = "conversation-" + std::to_string(id);
  turn.messages.resize(2);
  turn.messages[0].role = "user";
  turn.messages[0].text = std::string(kPromptBytes, 'x');
  turn.messages[1].role = "assistant";
  turn.messages[1].text = std::string(kAnswerBytes, 'y');
  turn.model = "gpt-5-mini";
  turn.key_id = "k1";
  turn.at = 1'700'000'000'000 + id;
  turn.expires_at = turn.at + 86'400'000;
  return turn;
}

// A new conversation's turn, its usage and its stored reply.
void TurnRows(benchmark::State& state) {
  Fixture fixture;
  std::int64_t id = 0;
  for (auto _ : state) {
    storage::Transaction transaction(fixture.database);
    storage::Sums sums;
    std::deque<storage::Usage> usages;
    for (int i = 0; i < kGroup; ++i) {
      const storage::Turn turn = TurnOf(++id);
      const storage::StoredResult result = {id,
                                            0,
                                            "request-" + std::to_string(id),
                                            turn.conv_id,
                                            std::string(16, 'd'),
                                            std::string(500, 'r'),
                                            turn.at + 600'000};
      storage::SaveResult(fixture.database, result);
      storage::AppendTurn(fixture.database, turn, result.id);
      storage::Usage& usage = usages.emplace_back();
      usage.key_id = "k1";
      usage.model = "gpt-5-mini";
      usage.at = turn.at;
      usage.requests = 1;
      sums.Add(usage);
    }
    sums.WriteTo(fixture.database);
    transaction.Commit();
  }
  state.SetItemsProcessed(state.iterations() * kGroup);
}
BENCHMARK(TurnRows)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace requestrouter::bench
