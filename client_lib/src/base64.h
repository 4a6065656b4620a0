#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// RFC 4648 base64 with padding. By hand because no library that the client links has it, and the
// client proper is to stay small.
namespace requestrouter::client {

std::string EncodeBase64(const std::vector<std::uint8_t>& bytes);

// nullopt for anything that is not canonical, padded base64.
std::optional<std::vector<std::uint8_t>> DecodeBase64(std::string_view text);

}  // namespace requestrouter::client
