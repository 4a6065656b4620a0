#pragma once

#include <string>
#include <string_view>

#include "ipc/value.h"
#include "requestrouter/error.h"

// Between the JSON text of the public interface and the values of the wire. Binary data, which JSON
// lacks, is base64 text under a name with the suffix `_base64`: an image part's `data` is
// `data_base64` in JSON.
namespace requestrouter::client {

// How deep user-given JSON may nest: the daemon's own limit on a payload.
inline constexpr int kMaxNesting = 32;

// Parses one JSON value; empty text is null. `what` names it in the error (kInvalidRequest).
Result<ipc::Value> ParseJson(std::string_view text, std::string_view what);

// As ParseJson for an operation's body: an object (empty text: an empty one), base64 decoded.
Result<ipc::Value> ParseBody(std::string_view text);

// JSON text of a value from the wire; invalid UTF-8 becomes U+FFFD. Null is empty text.
std::string DumpJson(const ipc::Value& value);

// As DumpJson, with binary data as base64 text.
std::string DumpBody(ipc::Value body);

}  // namespace requestrouter::client
