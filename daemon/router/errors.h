#pragma once

#include "daemon/policy/dispatcher.h"
#include "ipc/error.h"
#include "storage/store.h"

// From the words of the boxes to those of the wire. Pure.
namespace requestrouter::router {

// What policy's refusal is to the caller.
ipc::Error ToError(const policy::Refusal& refusal);

ipc::Error ToError(const storage::Error& error);

// No key has this id.
ipc::Error NoSuchKey(const std::string& key_id);

}  // namespace requestrouter::router
