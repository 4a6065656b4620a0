#pragma once

#include <string>

#include "daemon/router/catalog.h"
#include "daemon/router/live_request.h"
#include "daemon/upstream/attempt.h"
#include "storage/store.h"

// What is answered and stored of a chat request that is over. Pure.
namespace requestrouter::router {

// Requires a grant.
ipc::ChatReply ReplyOf(const LiveRequest& live, const upstream::Answer& answer,
                       const Catalog& catalog, policy::Instant now);

// The messages of the request and its answer; `at` is in wall time, as below.
storage::Turn TurnOf(const LiveRequest& live, const ipc::ChatReply& reply, const Catalog& catalog,
                     storage::Millis at);

// One request, of the key and model of its last grant, where it had one.
storage::Usage UsageOf(const LiveRequest& live, const ipc::TokenUsage& tokens, bool failed,
                       const Catalog& catalog, storage::Millis at);

// What answers those who ask again; `id`: see StoredResult.
storage::StoredResult ResultOf(const LiveRequest& live, std::int64_t id, std::string payload,
                               const Catalog& catalog, storage::Millis at);

}  // namespace requestrouter::router
