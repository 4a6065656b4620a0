#include "storage/apply.h"

#include <memory>
#include <variant>

#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

// What is wrong with the write itself, not with the disk.
bool IsOwnFault(ErrorCode code) {
  return code == ErrorCode::kNotFound || code == ErrorCode::kInvalid ||
         code == ErrorCode::kInternal;
}

// One that is not open is closed already.
void ApplyClosed(const AttemptClosed& attempt, const Target& target) {
  if (const AttemptLog::Opening* opening = target.attempts.Find(attempt.attempt_id)) {
    target.sums.Close(*opening, attempt);
  }
}

// A result that is there already says that the whole end was written before: a daemon writes it
// again where it could not know.
Written ApplyFinish(const Finish& finish, const Target& target) {
  if (finish.attempt) ApplyClosed(*finish.attempt, target);
  if (finish.result && !SaveResult(target.database, *finish.result)) return {};
  const std::int64_t result_id = finish.result ? finish.result->id : 0;
  if (finish.turn) AppendTurn(target.database, *finish.turn, result_id);
  for (const Usage& usage : finish.usage) target.sums.Add(usage);
  return {};
}

struct Visitor {
  const Target& target;

  Written operator()(const std::shared_ptr<const Finish>& finish) {
    return ApplyFinish(*finish, target);
  }
  Written operator()(const KeyState& state) {
    SaveKeyState(target.database, state);
    return {};
  }
  Written operator()(const ForgetQuotaCounts& request) {
    AddUpPending(target.database);
    ForgetCounts(target.database, request);
    target.sums.Forget(request.quota_group);
    return {};
  }
  Written operator()(const TruncateConversation& request) {
    return Truncate(target.database, request);
  }
  Written operator()(const DeleteConversation& request) { return Delete(target.database, request); }
  Written operator()(const Sweep& sweep) {
    return SweepExpired(target.database, sweep, target.most_results);
  }
  Written operator()(const Restore& restore) {
    return RestoreBackup(target.database, restore, target.directory);
  }
  Written operator()(const Flush&) { return {}; }
};

}  // namespace

Result<Written> Apply(const Write& write, const Target& target) {
  try {
    return std::visit(Visitor{target}, write);
  } catch (const DatabaseError& error) {
    if (!IsOwnFault(error.error().code)) throw;
    return tl::unexpected(error.error());
  }
}

}  // namespace requestrouter::storage
