#include "daemon/upstream/transfer.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

#include "requestrouter_version.h"

namespace requestrouter::upstream {
namespace {

using std::chrono::milliseconds;

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

void ReplaceAll(std::string_view what, std::string* text) {
  constexpr std::string_view kReplacement = "[redacted]";
  for (std::size_t at = text->find(what); at != std::string::npos;
       at = text->find(what, at + kReplacement.size())) {
    text->replace(at, what.size(), kReplacement);
  }
}

// After a day nobody waits any more; keeps hostile configuration from overflowing instants.
milliseconds Bounded(milliseconds duration) {
  return std::clamp<milliseconds>(duration, milliseconds(0), std::chrono::hours(24));
}

// Of what curl can decompress, what every provider has: each byte of a request's head costs.
const char* AcceptedEncodings() {
  const int features = curl_version_info(CURLVERSION_NOW)->features;
  return features & CURL_VERSION_LIBZ ? "gzip" : "identity";
}

}  // namespace

Transfer::Transfer(Attempt attempt, const Dialect& dialect, const TransferOptions& options,
                   Listener* listener, Deadlines* deadlines)
    : attempt_(std::move(attempt)),
      dialect_(dialect),
      options_(options),
      alarm_(deadlines, attempt_.id),
      response_(dialect, attempt_.stream, options.max_body_bytes,
                [listener, id = attempt_.id](ipc::ChatDelta delta) {
                  listener->OnDelta(id, std::move(delta));
                }),
      accepted_at_(std::chrono::steady_clock::now()) {
  Arm();
}

Transfer::~Transfer() { explicit_bzero(attempt_.secret.data(), attempt_.secret.size()); }

Transfer* Transfer::Of(CURL* easy) {
  char* self = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
  return reinterpret_cast<Transfer*>(self);
}

// ---- the request

tl::expected<void, std::string> Transfer::Start(EasyHandle easy, ParsedUrls& urls) {
  started_at_ = std::chrono::steady_clock::now();
  easy_ = std::move(easy);
  auto request = dialect_.Encode(attempt_);
  if (!request) return tl::unexpected(request.error());
  auto checked = CheckHeaders(*request);
  if (checked) {
    SetRequest(*request, urls);
    Arm();
  }
  for (auto& [name, value] : request->headers) explicit_bzero(value.data(), value.size());
  return checked;
}

// curl sends what it is given: a line feed would begin another header.
tl::expected<void, std::string> Transfer::CheckHeaders(const HttpRequest& request) const {
  for (const auto& [name, value] : request.headers) {
    if (HasControlCharacter(name)) {
      return tl::unexpected(std::string("the name of a header holds a control character"));
    }
    if (HasControlCharacter(value)) {
      return tl::unexpected("the header " + name + " holds a control character");
    }
  }
  return {};
}

void Transfer::SetRequest(HttpRequest& request, ParsedUrls& urls) {
  CURL* const easy = easy_.get();
  SetHeaders(request);
  request_body_ = std::move(request.body);
  url_ = urls.Of(request.url);
  curl_easy_setopt(easy, CURLOPT_CURLU, url_.get());
  if (!url_) curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());  // to hear what is wrong
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_body_.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(request_body_.size()));
  const milliseconds connect = Bounded(attempt_.provider->connect_timeout);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::max<milliseconds::rep>(connect.count(), 1)));
  SetSelf(this, error_.data());
}

// Those that curl would add by itself are given to it, too: it writes its own anew for every
// request, byte by byte.
void Transfer::SetHeaders(const HttpRequest& request) {
  static const char* const accepted = AcceptedEncodings();
  for (const auto& [name, value] : request.headers) headers_.Add(name, value);
  headers_.AddDefault("user-agent", "requestrouter/" REQUESTROUTER_VERSION);
  headers_.AddDefault("accept-encoding", accepted);
  headers_.Suppress("Expect");  // saves a large body a round trip
}

void Transfer::SetSelf(void* self, char* error) {
  CURL* const easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, self);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, self);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, self);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, self);
}

EasyHandle Transfer::TakeEasy() {
  if (!easy_) return nullptr;
  SetSelf(nullptr, nullptr);
  curl_easy_setopt(easy_.get(), CURLOPT_CURLU, nullptr);
  curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, nullptr);
  return std::move(easy_);
}

// Redirects are not followed (curl's default): a key goes where the configuration says only. There
// is no CURLOPT_TIMEOUT, which would count everything, and no CURLOPT_LOW_SPEED_TIME, which would
// count a model's thinking: see Deadline().
EasyHandle Transfer::NewEasy() {
  EasyHandle handle(curl_easy_init());
  CURL* const easy = handle.get();
  if (!easy) return handle;
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");  // decompresses whatever it can
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Transfer::OnSending);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");       // whatever http_proxy says
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);    // there are other threads
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a hanging resolver
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  return handle;
}

// ---- what comes back

// curl calls this each time it is about to send the request, and a second time only after a
// kept-alive connection was lost: it would resend a POST that the provider may have answered at
// length, and counted.
int Transfer::OnSending(void* self, char*, char*, int, int) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.sent_again_ = transfer.sent();
  if (transfer.sent() && transfer.arrived_whole_) {
    transfer.lost_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.arrived_whole_ = true;
  transfer.sent_at_ = std::chrono::steady_clock::now();
  transfer.Arm();
  return CURL_PREREQFUNC_OK;
}

// What the peer's system never acknowledged, the peer did not read: of a request sent into a
// connection that was closed at its other end already, that is all of it. A few bytes say nothing,
// they may be TLS's good-bye, which curl has just written.
void Transfer::OnConnectionClosing(int socket) {
  constexpr int kGoodBye = 128;
  if (!sent() || response_.status() != 0) return;
  int unacknowledged = 0;
  const bool known = ioctl(socket, SIOCOUTQ, &unacknowledged) == 0;
  arrived_whole_ = !known || unacknowledged <= kGoodBye;
}

std::size_t Transfer::OnHeader(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  return transfer.response_.TakeHeader({data, size * count}) ? size * count : 0;
}

std::size_t Transfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) noexcept {
  return static_cast<Transfer*>(self)->TakeBody({data, size * count});
}

std::size_t Transfer::TakeBody(std::string_view chunk) {
  if (paused_) return CURL_WRITEFUNC_PAUSE;
  last_byte_at_ = std::chrono::steady_clock::now();
  const bool spoke = speaking();
  if (!answering()) first_byte_at_ = last_byte_at_;
  const bool more = response_.TakeBody(chunk);
  const bool completed = complete_at_ == Instant() && response_.complete();
  if (completed) complete_at_ = last_byte_at_;
  if (spoke != speaking() || completed) Arm();
  return more ? chunk.size() : 0;
}

void Transfer::Pause() {
  if (!std::exchange(paused_, true)) paused_at_ = std::chrono::steady_clock::now();
}

CURLcode Transfer::Resume() {
  if (!std::exchange(paused_, false)) return CURLE_OK;
  last_byte_at_ = std::chrono::steady_clock::now();
  paused_for_ += last_byte_at_ - paused_at_;
  Arm();
  return easy_ ? curl_easy_pause(easy_.get(), CURLPAUSE_CONT) : CURLE_OK;
}

// ---- time

// Bytes that come only put the deadline off, so the alarm is not moved for each of them: it rings
// early and is set anew.
bool Transfer::IsOverdue(Instant now) {
  if (Deadline() <= now) return true;
  Arm();
  return false;
}

void Transfer::Arm() { alarm_.Set(Deadline()); }

Transfer::Instant Transfer::Deadline() const {
  const Provider& provider = *attempt_.provider;
  const Instant total = accepted_at_ + Bounded(attempt_.timeout);
  if (!easy_ || paused_) return total;  // while paused the caller is slow, not the provider
  Instant step = started_at_ + Bounded(provider.connect_timeout);
  if (sent()) step = sent_at_ + Bounded(provider.first_token_timeout) + paused_for_;
  if (speaking()) step = last_byte_at_ + Bounded(provider.idle_timeout);
  if (complete_at_ != Instant()) step = complete_at_ + Bounded(options_.linger);
  return std::min({total, step, sent() ? ProviderDeadline() : total});
}

Transfer::Instant Transfer::ProviderDeadline() const {
  return sent_at_ + Bounded(attempt_.provider->total_timeout) + paused_for_;
}

// ---- the ends

Transport Transfer::TransportOf(CURLcode result) const {
  if (result == CURLE_OK || response_.enough()) return Transport::kOk;
  if (result == CURLE_BAD_CONTENT_ENCODING) return Transport::kUnreadable;
  if (lost_) return Transport::kInterrupted;
  return sent() && arrived_whole_ ? Transport::kInterrupted : Transport::kNotSent;
}

std::string Transfer::Words(CURLcode result) const {
  if (lost_) return "the connection was lost before an answer came";
  return error_.front() != '\0' ? error_.data() : curl_easy_strerror(result);
}

Outcome Transfer::Ended(CURLcode result) {
  const Transport end = TransportOf(result);
  return Conclude(end, end == Transport::kOk ? std::string() : Words(result));
}

Outcome Transfer::TimedOut() {
  if (!easy_) return Conclude(Transport::kNotSent, "no connection was free in time");
  if (!sent()) return Conclude(Transport::kNotSent, "no connection in time");
  if (!speaking()) return Conclude(Transport::kTimeout, "no answer in time");
  const bool is_silent =
      last_byte_at_ + Bounded(attempt_.provider->idle_timeout) <= std::chrono::steady_clock::now();
  return Conclude(Transport::kTimeout,
                  is_silent ? "the answer stopped coming" : "the answer took too long");
}

Outcome Transfer::Cancelled() { return Conclude(Transport::kCancelled, "cancelled"); }

Outcome Transfer::Refused(const std::string& why) {
  return Conclude(Transport::kRefusedLocally, why);
}

Outcome Transfer::Conclude(Transport end, std::string words) {
  Outcome outcome;
  outcome.error_message = std::move(words);
  response_.Conclude(end, &outcome);
  if (outcome.transport != Transport::kNotSent) outcome.sent_at = sent_at_;
  outcome.began_at = started_at_;
  outcome.ended_at = std::chrono::steady_clock::now();
  if (answering()) {
    outcome.first_byte = std::chrono::duration_cast<milliseconds>(first_byte_at_ - sent_at_);
  }
  Scrub(&outcome);
  return outcome;
}

// Providers quote the key they refuse, in whole or in part; the parts are the dialect's business.
void Transfer::Scrub(Outcome* outcome) const {
  constexpr std::size_t kShortestSecret = 4;
  if (attempt_.secret.size() < kShortestSecret) return;
  ReplaceAll(attempt_.secret, &outcome->error_message);
  for (auto& [name, value] : outcome->headers) ReplaceAll(attempt_.secret, &value);
  if (!outcome->error) return;
  ProviderError& error = *outcome->error;
  for (std::string* text : {&error.code, &error.type, &error.message}) {
    ReplaceAll(attempt_.secret, text);
  }
  for (std::string& reason : error.reasons) ReplaceAll(attempt_.secret, &reason);
  for (std::string& quota : error.quota_ids) ReplaceAll(attempt_.secret, &quota);
}

}  // namespace requestrouter::upstream
