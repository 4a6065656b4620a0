#include "daemon/secrets/vault_call.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>

namespace requestrouter::secrets {
namespace {

using Failure = tl::unexpected<std::string>;

constexpr std::size_t kMaxBody = 1 << 20;

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

// A list of headers.
class Headers {
 public:
  Headers() = default;
  ~Headers() { curl_slist_free_all(list_); }
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;
  void Add(const std::string& header) { list_ = curl_slist_append(list_, header.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

std::size_t OnBody(char* data, std::size_t, std::size_t size, void* user) noexcept {
  auto& body = *static_cast<std::string*>(user);
  if (body.size() + size > body.capacity()) return 0;  // over kMaxBody: curl fails the transfer
  body.append(data, size);
  return size;
}

bool HasControl(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string Url(std::string address, const std::string& path) {
  while (!address.empty() && address.back() == '/') address.pop_back();
  return address + "/v1/" + path;
}

long RemainingMs(std::chrono::steady_clock::time_point deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return std::max<long>(1, static_cast<long>(left.count()));
}

void SetOptions(CURL* easy, const VaultServer& server, long timeout_ms) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "requestrouter");
  if (!server.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, server.ca_file.c_str());
}

void AddHeaders(const VaultServer& server, Headers& headers) {
  headers.Add("X-Vault-Token: " + server.token);
  headers.Add("X-Vault-Request: true");  // https://developer.hashicorp.com/vault/api-docs
  if (!server.name_space.empty()) headers.Add("X-Vault-Namespace: " + server.name_space);
}

}  // namespace

tl::expected<VaultAnswer, std::string> VaultGet(const VaultServer& server, const std::string& path,
                                                std::chrono::steady_clock::time_point deadline) {
  static std::once_flag initialized;
  std::call_once(initialized, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  if (HasControl(server.token) || HasControl(server.name_space)) {
    return Failure("VAULT_TOKEN or VAULT_NAMESPACE holds a control character; enter it again");
  }
  const Easy easy(curl_easy_init(), &curl_easy_cleanup);
  if (easy == nullptr) return Failure("Vault cannot be called: out of memory");
  Headers headers;
  AddHeaders(server, headers);
  VaultAnswer answer;
  answer.body.reserve(kMaxBody);
  SetOptions(easy.get(), server, RemainingMs(deadline));
  curl_easy_setopt(easy.get(), CURLOPT_URL, Url(server.address, path).c_str());
  curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) {
    return Failure(std::string("Vault cannot be reached: ") + curl_easy_strerror(code) +
                   "; check VAULT_ADDR");
  }
  curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace requestrouter::secrets
