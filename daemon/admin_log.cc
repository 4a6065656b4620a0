#include "daemon/admin_log.h"

#include <spdlog/spdlog.h>

#include "daemon/log_record.h"

namespace requestrouter {

void LogAdminOperation(const ops::AdminOperation& operation) {
  const auto level = operation.error ? spdlog::level::warn : spdlog::level::info;
  if (!spdlog::should_log(level)) return;
  LogRecord line("admin operation");
  line.With("operation", operation.name)
      .With("target", operation.target)
      .With("outcome", operation.error ? ipc::Name(operation.error->type) : "ok")
      .With("caller", operation.caller)
      .With("caller_uid", static_cast<std::int64_t>(operation.peer.uid));
  if (operation.error) line.With("error", operation.error->message);
  spdlog::log(level, line.packed());
}

}  // namespace requestrouter
