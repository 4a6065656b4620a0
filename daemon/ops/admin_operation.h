#pragma once

#include <string>

#include "ipc/error.h"
#include "ipc/operations.h"
#include "ipc/socket.h"

namespace requestrouter::ops {

// Whether only administrators may ask for it: those marked * in PROTOCOL.md's table.
template <typename Request>
inline constexpr bool kIsForAdmins = false;
template <>
inline constexpr bool kIsForAdmins<ipc::KeysResetRequest> = true;
template <>
inline constexpr bool kIsForAdmins<ipc::KeysDisableRequest> = true;
template <>
inline constexpr bool kIsForAdmins<ipc::KeysEnableRequest> = true;
template <>
inline constexpr bool kIsForAdmins<ipc::ReloadRequest> = true;
template <>
inline constexpr bool kIsForAdmins<ipc::BackupRequest> = true;
template <>
inline constexpr bool kIsForAdmins<ipc::RestoreRequest> = true;
template <>
inline constexpr bool kIsForAdmins<ipc::CheckRequest> = true;

// What it is done to: a key, a file, or nothing in particular.
template <typename Request>
std::string TargetOf(const Request& request) {
  if constexpr (requires { request.key_id; }) return request.key_id;
  if constexpr (requires { request.path; }) return request.path;
  return "";
}

// An operation of an administrator as it is answered.
struct AdminOperation {
  std::string name;    // as on the wire
  std::string target;  // see TargetOf; empty: everything
  ipc::Peer peer;
  std::string caller;                 // `peer` for people
  const ipc::Error* error = nullptr;  // null: it was done. Valid during the call only
};

}  // namespace requestrouter::ops
