#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

// What the daemon asks of its database, as values and one narrow interface: SQLite implements it
// (storage/sqlite_store.h), another engine may. Instants are wall time in milliseconds since the
// Unix epoch. Conversations, results and attempts belong to a uid.
namespace requestrouter::storage {

using Millis = std::int64_t;

enum class ErrorCode : std::uint8_t {
  kNotFound,
  kInvalid,   // what was asked for cannot be done, on whatever disk
  kFull,      // no space; works again when there is some
  kReadOnly,  // the directory or file cannot be written
  kIo,
  kCorrupt,
  kNewerSchema,  // written by a later version of this program
  kLocked,       // another process holds the database
  kInternal,
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // names the file and the remedy
};

template <typename T>
using Result = tl::expected<T, Error>;

// ---- conversations

struct StoredMessage {
  std::int64_t seq = 0;  // position in the conversation; assigned by the store when written
  std::string role;      // user | assistant | tool
  std::string text;      // what a person reads
  std::string payload;   // the whole message, encoded by who writes it; empty: `text` says it all
  Millis at = 0;
  std::int64_t tokens = 0;
  std::string model;   // assistant only
  std::string key_id;  // assistant only
};

struct ConversationInfo {
  std::string conv_id;
  std::optional<std::string> system_prompt;
  Millis created_at = 0;
  Millis updated_at = 0;
  Millis expires_at = 0;
  std::int64_t message_count = 0;
  std::int64_t total_tokens = 0;
  std::string last_model;
  std::string last_key_id;
  std::string user_id;
};

struct Conversation {
  ConversationInfo info;
  std::vector<StoredMessage> messages;  // oldest first
};

// One successful turn: appended as a whole, creating the conversation where it is new.
struct Turn {
  std::uint32_t uid = 0;
  std::string conv_id;
  std::optional<std::string> system_prompt;  // replaces the stored one
  std::vector<StoredMessage> messages;
  std::int64_t total_tokens = 0;
  std::string model;
  std::string key_id;
  std::string user_id;
  Millis at = 0;
  Millis expires_at = 0;
};

// ---- accounting

// Added to the usage counters of the hour of `at`.
struct Usage {
  std::uint32_t uid = 0;
  std::string agent;
  std::string user_id;
  std::string key_id;
  std::string model;
  Millis at = 0;
  std::int64_t requests = 0;
  std::int64_t errors = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t cached_tokens = 0;
  std::int64_t cost_nano_usd = 0;
};

struct UsageQuery {
  std::optional<std::uint32_t> uid;  // absent: all callers
  Millis since = 0;
  Millis until = INT64_MAX;
  bool by_key = false, by_model = false, by_caller = false, by_agent = false, by_user = false;
  bool by_hour = false, by_day = false;  // day: UTC
};

// One row of the answer; `usage.at` is the start of the hour or day where asked for.
using UsageRow = Usage;

// ---- attempts, and what is known of keys

// Written before an attempt is sent.
struct AttemptOpened {
  std::int64_t attempt_id = 0;  // unique for the life of the database; see Recovered
  std::uint32_t uid = 0;
  std::string request_id;
  std::string body_digest;
  std::string conv_id;
  std::string key_id;
  std::string quota_group;
  std::string model;
  Millis at = 0;
  // Reserved; see QuotaCount.
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
  std::int64_t counted_tokens = 0;
};

// What was used counts against the quota group from the opening's `at` on; nothing does where
// `counted` is false: nothing was sent. Of an attempt that is not open it says nothing.
struct AttemptClosed {
  std::int64_t attempt_id = 0;
  bool counted = true;
  std::int64_t input_tokens = 0;  // these: see QuotaCount
  std::int64_t output_tokens = 0;
  std::int64_t counted_tokens = 0;
};

// An attempt that was open when its daemon ended: its reservation counts as used.
struct UnknownAttempt {
  AttemptOpened opened;
  Millis unknown_until = 0;  // that long its request is said to have an unknown outcome
};

// What was used of a quota group's model in a second or a minute from `start` on, by the time at
// which attempts were opened. A provider's day is a sum of minutes, because every provider's day
// begins at a full one. Tokens are those that the provider counts, by its rule at that time: which
// input counts, and whether output does as it was used or as it might have been, cannot be found
// out later from what was used.
struct QuotaCount {
  std::string quota_group;
  std::string model;
  Millis start = 0;
  std::int64_t requests = 0;
  std::int64_t input_tokens = 0;    // against limits of input alone
  std::int64_t output_tokens = 0;   // against limits of output alone
  std::int64_t counted_tokens = 0;  // against limits of tokens
};

// What is known of a key, or of what else attempts can fail with.
struct KeyState {
  std::string key_id;  // or another name, given by who writes it, that no key has
  std::string state;   // ready | cooling | trial | disabled
  Millis until = 0;    // of a cooldown; 0: none
  std::string reason;
  std::string source;
  std::int64_t strikes = 0;           // repetitions, for growth
  bool disabled_by_operator = false;  // of a key, whatever its state
};

// ---- request ids as idempotency keys

struct StoredResult {
  std::int64_t id = 0;  // given by who writes it: larger than those of all before; see Recovered
  std::uint32_t uid = 0;
  std::string request_id;
  std::string conv_id;  // goes with this conversation; empty: with none
  std::string body_digest;
  std::string reply;  // the final reply's payload bytes
  Millis expires_at = 0;
};

// ---- writes

// The end of one request, in one transaction: any part may be absent.
struct Finish {
  std::optional<Turn> turn;
  std::optional<AttemptClosed> attempt;
  std::vector<Usage> usage;
  std::optional<StoredResult> result;
};
// Leaves whole turns, with at most `keep_last_n` messages in all.
struct TruncateConversation {
  std::uint32_t uid = 0;
  std::string conv_id;
  std::int64_t keep_last_n = 0;
};
struct DeleteConversation {
  std::uint32_t uid = 0;
  std::string conv_id;
};
struct ForgetQuotaCounts {  // of one group: its minutes and its seconds
  std::string quota_group;
};
// Deletes expired conversations, results and counts, after a look at `limit` rows of each.
struct Sweep {
  Millis now = 0;
  std::int64_t limit = 100;
};
// Nothing of its own: `done` runs when everything that was submitted before it is committed, and in
// the counters.
struct Flush {};
// Replaces the conversations and the usage by those of a backup, of this version or an earlier one,
// in one transaction. Quota counts, key states and results stay as they are: what the providers
// have counted is not undone. Every conversation lives its whole time again, from `now` on.
struct Restore {
  std::string path;  // absolute
  Millis now = 0;
};

// A Finish is shared with who submits it, who may have to submit it again.
using Write = std::variant<std::shared_ptr<const Finish>, KeyState, ForgetQuotaCounts,
                           TruncateConversation, DeleteConversation, Sweep, Flush, Restore>;

// What a write did: truncate -> messages removed and left; delete -> rows removed; sweep -> rows
// dealt with; restore -> conversations, and messages in them; backup -> bytes.
struct Written {
  std::int64_t count = 0;
  std::int64_t left = 0;
};

enum class Durability : std::uint8_t {
  kFull,     // survives power loss once acknowledged
  kProcess,  // survives kill -9 once acknowledged
};

// What the daemon needs to carry on where the last one ended.
struct Recovered {
  std::vector<KeyState> keys;
  // From a full minute on that is ten minutes ago or a little more, seconds are told apart.
  Millis seconds_from = 0;
  std::vector<QuotaCount> seconds;      // from seconds_from on; the unknown ones not included
  std::vector<UnknownAttempt> unknown;  // from seconds_from on, and those of unknown outcome still
  std::vector<QuotaCount> minutes;      // of the last 26 hours, the unknown ones included
  std::vector<StoredResult> results;    // those that have not expired, without conv_id and reply
  std::int64_t last_result_id = 0;
  std::int64_t last_attempt_id = 0;
  bool unclean = false;     // the last daemon did not close the database
  bool other_boot = false;  // the machine has started since
  // Attempts of the last seconds may be missing: they are written but not synced.
  bool attempts_lost() const { return unclean && other_boot; }
};

// How large the database is.
struct Size {
  std::int64_t conversations = 0;  // those that have expired and are not swept yet included
  std::int64_t bytes = 0;          // of its file, without the log
};

enum class CheckDepth : std::uint8_t {
  kQuick,  // pages and rows
  kFull,   // indexes against tables, and references, too
};

// Thread-safe. `done` callbacks run on one of the store's threads, must not block or throw, and
// run exactly once, also when the store is closed.
class Store {
 public:
  template <typename T>
  using Done = std::function<void(Result<T>)>;

  // Commits everything that was submitted, then closes.
  virtual ~Store() = default;

  // Read once, before the first Submit.
  virtual Result<Recovered> Recover(Millis now) = 0;

  // Right before an attempt is sent; never blocks for the disk. Written, not synced: that survives
  // kill -9. Where it fails, its end may be submitted all the same.
  virtual Result<void> OpenAttempt(const AttemptOpened& attempt) = 0;

  // Writes are committed in groups, in the order submitted. `done` runs after the commit that holds
  // it; with kFull synced, unless the store is of kProcess. The ends of requests that are kProcess
  // may wait some milliseconds for others. A failed write leaves nothing behind and does not
  // disturb the others of its group.
  virtual void Submit(Write write, Durability durability, Done<Written> done) = 0;

  // False: there is no such conversation, and none is being written; nothing has to be read to know
  // it. Never blocks. A daemon that has just started may not know it yet.
  virtual bool MayHaveConversation(std::uint32_t uid, std::string_view conv_id) const = 0;

  // Reads see every write whose `done` has run. `limit` newest messages; absent: all.
  // Expired conversations are kNotFound.
  virtual void GetConversation(std::uint32_t uid, std::string conv_id, Millis now,
                               std::optional<std::int64_t> limit, Done<Conversation> done) = 0;

  // Ordered by conv_id, those after `after` with `prefix` (and of `user_id` where not empty).
  virtual void ListConversations(std::uint32_t uid, std::string prefix, std::string user_id,
                                 std::string after, std::int64_t limit, Millis now,
                                 Done<std::vector<ConversationInfo>> done) = 0;

  // Counts every write that was submitted before it: nobody waits for the usage of a request that
  // keeps nothing, yet who asks then finds it.
  virtual void QueryUsage(UsageQuery query, Done<std::vector<UsageRow>> done) = 0;

  // A stored result that has not expired, if it is the one of that request.
  virtual void GetResult(std::int64_t id, std::uint32_t uid, std::string request_id, Millis now,
                         Done<StoredResult> done) = 0;

  // A consistent copy of the database in a new file with mode 0600, absolute path; fails if it
  // exists. Holds up neither reads nor writes.
  virtual void BackUp(std::string path, Done<Written> done) = 0;

  // What is wrong with the database, a line each; empty: nothing. Holds up neither reads nor
  // writes. Where something is, the store is not healthy() from then on.
  virtual void Check(CheckDepth depth, Done<std::vector<std::string>> done) = 0;

  // Waits for nothing but the queries before it.
  virtual void Measure(Done<Size> done) = 0;

  // Whether the last write worked, or a probe after a failed one did, and no check has found
  // damage. Never blocks.
  virtual bool healthy() const = 0;
};

}  // namespace requestrouter::storage
