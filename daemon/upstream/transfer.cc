#include "daemon/upstream/transfer.h"

#include <strings.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace requestrouter::upstream {
namespace {

// Headers that say something of quotas, retries or the request, by prefix.
constexpr std::array<std::string_view, 6> kInteresting = {
    "retry-after", "x-ratelimit-", "anthropic-ratelimit-", "x-should-retry", "request-id",
    "x-request-id"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool HasControlCharacters(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool IsSuccess(long status) { return status >= 200 && status < 300; }

}  // namespace

Transfer::Transfer(Attempt attempt, Listener* listener, Instant now)
    : attempt_(std::move(attempt)),
      listener_(listener),
      dialect_(DialectOf(attempt_.provider->kind)),
      started_(now),
      last_byte_(now),
      easy_(curl_easy_init()) {}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  for (curl_slist* line = headers_; line; line = line->next) {
    explicit_bzero(line->data, std::strlen(line->data));
  }
  curl_slist_free_all(headers_);
  explicit_bzero(attempt_.secret.data(), attempt_.secret.size());
}

bool Transfer::Prepare() {
  tl::expected<HttpRequest, std::string> request = dialect_.Encode(attempt_);
  if (!request) {
    refusal_ = request.error();
    return false;
  }
  for (const auto& [name, value] : request->headers) {
    if (HasControlCharacters(name) || HasControlCharacters(value)) {
      refusal_ = "the header " + Lower(name) + " would hold a control character";
      return false;
    }
  }
  AddHeaders(*request);
  Configure(*request);
  for (auto& [name, value] : request->headers) explicit_bzero(value.data(), value.size());
  if (attempt_.stream) decoder_ = dialect_.NewStreamDecoder();
  return true;
}

void Transfer::AddHeaders(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    std::string line = name + ": " + value;
    headers_ = curl_slist_append(headers_, line.c_str());
    explicit_bzero(line.data(), line.size());
  }
  headers_ = curl_slist_append(headers_, "Expect:");  // no round trip before a large body
}

void Transfer::Configure(const HttpRequest& request) {
  request_body_ = request.body;
  curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_body_.data());
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request_body_.size()));
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &Transfer::OnPrerequest);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(attempt_.provider->connect_timeout.count()));
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // a hanging resolver must not hold up the rest
  curl_easy_setopt(easy_, CURLOPT_PROXY, "");       // whatever the environment says
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
}

// ---- what comes back

int Transfer::OnPrerequest(void* self, char*, char*, int, int) noexcept {
  static_cast<Transfer*>(self)->sent_at_ = std::chrono::steady_clock::now();
  return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::OnHeader(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept {
  static_cast<Transfer*>(self)->KeepHeader({data, size * count});
  return size * count;
}

void Transfer::KeepHeader(std::string_view line) {
  last_byte_ = std::chrono::steady_clock::now();
  if (first_byte_at_ == Instant()) first_byte_at_ = last_byte_;
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = Lower(Trim(line.substr(0, colon)));
  const std::string_view value = Trim(line.substr(colon + 1));
  if (name == "content-type") content_type_ = Lower(value);
  const bool wanted =
      std::any_of(kInteresting.begin(), kInteresting.end(), [&](std::string_view prefix) {
        return name.compare(0, prefix.size(), prefix) == 0;
      });
  if (wanted && kept_headers_.size() < kMostHeaders) {
    kept_headers_.emplace_back(name, value.substr(0, 1024));
  }
}

std::size_t Transfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  return static_cast<Transfer*>(self)->TakeBody({data, size * count}) ? size * count : 0;
}

bool Transfer::TakeBody(std::string_view chunk) {
  last_byte_ = std::chrono::steady_clock::now();
  if (IsStreaming()) return TakeEvents(chunk);
  const std::size_t most = IsSuccess(Status()) ? kMostBody : kMostErrorBody;
  const std::size_t room = most - std::min(most, body_.size());
  if (chunk.size() > room && IsSuccess(Status())) {
    refusal_ = "the answer is larger than " + std::to_string(kMostBody) + " bytes";
    return false;
  }
  body_ += chunk.substr(0, room);
  return true;
}

// A provider that answers a request for a stream without one is read as a whole.
bool Transfer::IsStreaming() {
  return decoder_ && IsSuccess(Status()) && content_type_.find("application/json") != 0;
}

bool Transfer::TakeEvents(std::string_view chunk) {
  for (const SseParser::Event& event : events_.Feed(chunk)) {
    auto deltas = decoder_->OnEvent(event.name, event.data);
    if (!deltas) {
      refusal_ = "an event of the stream cannot be read: " + deltas.error();
      return false;
    }
    for (ipc::ChatDelta& delta : *deltas) {
      streamed_ = true;
      listener_->OnDelta(attempt_.id, std::move(delta));
    }
  }
  if (events_.failed()) refusal_ = "an event of the stream is too large";
  return !events_.failed();
}

// ---- time

Transfer::Instant Transfer::NextTimeout() const {
  Instant next = started_ + attempt_.timeout;
  if (paused_) return next;  // the caller is slow, not the provider
  if (first_byte_at_ == Instant()) {
    next = std::min(next, started_ + attempt_.provider->connect_timeout +
                              attempt_.provider->first_byte_timeout);
  } else {
    next = std::min(next, last_byte_ + attempt_.provider->idle_timeout);
  }
  return next;
}

void Transfer::Pause() {
  paused_ = true;
  curl_easy_pause(easy_, CURLPAUSE_RECV);
}

void Transfer::Resume() {
  paused_ = false;
  last_byte_ = std::chrono::steady_clock::now();
  curl_easy_pause(easy_, CURLPAUSE_CONT);
}

// ---- the end

long Transfer::Status() const {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

Transport Transfer::TransportOf(CURLcode result) const {
  if (result == CURLE_OK) return Transport::kOk;
  if (!refusal_.empty()) return Transport::kUnreadable;
  if (sent_at_ == Instant()) return Transport::kNotSent;
  return result == CURLE_OPERATION_TIMEDOUT ? Transport::kTimeout : Transport::kInterrupted;
}

upstream::Outcome Transfer::Begin(Transport transport) {
  upstream::Outcome outcome;
  outcome.transport = transport;
  outcome.status = static_cast<int>(Status());
  outcome.headers = std::move(kept_headers_);
  outcome.streamed = streamed_;
  outcome.sent_at = sent_at_;
  if (first_byte_at_ != Instant()) {
    outcome.first_byte =
        std::chrono::duration_cast<std::chrono::milliseconds>(first_byte_at_ - sent_at_);
  }
  return outcome;
}

upstream::Outcome Transfer::Outcome(CURLcode result) {
  if (!refusal_.empty() && sent_at_ == Instant()) {
    upstream::Outcome refused = Begin(Transport::kRefusedLocally);
    refused.error_message = refusal_;
    return refused;
  }
  upstream::Outcome outcome = Begin(TransportOf(result));
  if (result != CURLE_OK) {
    outcome.error_message = refusal_.empty() ? curl_easy_strerror(result) : refusal_;
    if (decoder_) outcome.answer = decoder_->Take();
    if (decoder_ && decoder_->error()) outcome.error = *decoder_->error();
    return outcome;
  }
  if (!IsSuccess(outcome.status)) {
    outcome.error = dialect_.DecodeError(body_);
    return outcome;
  }
  FinishAnswer(outcome);
  return outcome;
}

void Transfer::FinishAnswer(upstream::Outcome& outcome) {
  if (IsStreaming()) {
    outcome.answer = decoder_->Take();
    if (decoder_->error()) {
      outcome.error = *decoder_->error();
      outcome.transport = Transport::kInterrupted;
      outcome.error_message = outcome.error->message;
    } else if (!decoder_->complete()) {
      outcome.transport = Transport::kInterrupted;
      outcome.error_message = "the stream ended before the answer was complete";
    }
    return;
  }
  tl::expected<Answer, std::string> answer = dialect_.Decode(body_);
  if (answer) {
    outcome.answer = std::move(*answer);
    return;
  }
  outcome.transport = Transport::kUnreadable;
  outcome.error_message = answer.error();
  ProviderError error = dialect_.DecodeError(body_);
  if (error.readable) outcome.error = std::move(error);  // an error in a 200
}

upstream::Outcome Transfer::TimedOut() {
  upstream::Outcome outcome =
      Begin(sent_at_ == Instant() ? Transport::kNotSent : Transport::kTimeout);
  outcome.error_message = first_byte_at_ == Instant() ? "no answer in time"
                                                      : "the answer stopped coming";
  if (decoder_) outcome.answer = decoder_->Take();
  return outcome;
}

upstream::Outcome Transfer::Cancelled() {
  upstream::Outcome outcome = Begin(Transport::kCancelled);
  outcome.error_message = "cancelled";
  if (decoder_) outcome.answer = decoder_->Take();
  return outcome;
}

}  // namespace requestrouter::upstream
