#pragma once

#include <utility>

#include "daemon/router/mailbox.h"
#include "storage/store.h"

namespace requestrouter::router {

// A callback for storage's threads: runs `handle` with the result on the router thread.
template <typename T, typename Handle>
storage::Store::Done<T> Later(Mailbox& mailbox, Handle handle) {
  return [&mailbox, handle = std::move(handle)](storage::Result<T> result) mutable {
    mailbox.Post([handle = std::move(handle), result = std::move(result)]() mutable {
      handle(std::move(result));
    });
  };
}

}  // namespace requestrouter::router
