#pragma once

#include "daemon/policy/dispatcher.h"
#include "ipc/error.h"
#include "storage/store.h"

// From the words of the boxes to those of the wire. Pure.
namespace requestrouter::router {

// What policy's refusal is to the caller. `streamed`: who has had a part of the answer already,
// which cannot be had again, whatever the fault was.
ipc::Error ToError(const policy::Refusal& refusal, bool streamed = false);

ipc::Error ToError(const storage::Error& error);

// No key has this id.
ipc::Error NoSuchKey(const std::string& key_id);

}  // namespace requestrouter::router
