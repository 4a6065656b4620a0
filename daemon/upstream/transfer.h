#pragma once

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "daemon/upstream/deadlines.h"
#include "daemon/upstream/dialect.h"
#include "daemon/upstream/easy_pool.h"
#include "daemon/upstream/header_list.h"
#include "daemon/upstream/parsed_urls.h"
#include "daemon/upstream/response.h"
#include "daemon/upstream/transfer_options.h"

namespace requestrouter::upstream {

// One attempt on its way: a curl handle, what came back on it, and its time-outs. States:
//   waiting    no handle yet; its turn has not come
//   connecting Start() gave it a handle; nothing has been sent
//   sent       the request is going out or out; nothing of the body has come
//   answering  the body is coming
// Confined to the loop's thread.
class Transfer {
 public:
  using Instant = Deadlines::Instant;

  // All pointers and references outlive the transfer.
  Transfer(Attempt attempt, const Dialect& dialect, const TransferOptions& options,
           Listener* listener, Deadlines* deadlines);
  ~Transfer();  // overwrites the secret
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // A handle for Start(). Null where there is no memory.
  static EasyHandle NewEasy();

  // Null for a handle that is curl's own.
  static Transfer* Of(CURL* easy);

  // Encodes the request into `easy`. Fails where the prompt cannot be expressed to the provider.
  tl::expected<void, std::string> Start(EasyHandle easy, ParsedUrls& urls);

  std::int64_t id() const { return attempt_.id; }
  CURL* easy() const { return easy_.get(); }  // null while waiting
  // Pointing to nothing of this transfer any more. Not part of a multi handle.
  EasyHandle TakeEasy();
  // Not to be used again: curl counts how often it had to send over all transfers of a handle, and
  // gives up at five.
  bool wore_easy_out() const { return sent_again_; }

  // From now on the body is not read. What is on its way comes all the same: 16 KiB or so.
  void Pause();
  // Reads on; the deltas that were held back are reported from within. Returns curl's error where
  // that ended the transfer.
  CURLcode Resume();

  // The connection of this transfer is about to be closed.
  void OnConnectionClosing(int socket);

  // The alarm rang: true if a time-out has passed, else it was put off.
  bool IsOverdue(Instant now);

  // The four ends. Call one of them, once.
  Outcome Ended(CURLcode result);
  Outcome TimedOut();
  Outcome Cancelled();
  Outcome Refused(const std::string& why);

 private:
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static int OnSending(void* self, char*, char*, int, int) noexcept;

  tl::expected<void, std::string> CheckHeaders(const HttpRequest& request) const;
  void SetRequest(HttpRequest& request, ParsedUrls& urls);
  void SetHeaders(const HttpRequest& request);
  void SetSelf(void* self, char* error);
  std::size_t TakeBody(std::string_view chunk);

  Instant Deadline() const;
  Instant ProviderDeadline() const;
  void Arm();

  bool sent() const { return sent_at_ != Instant(); }
  bool answering() const { return first_byte_at_ != Instant(); }
  // The first piece of the answer is there: see Provider::first_token_timeout.
  bool speaking() const { return attempt_.stream ? response_.streamed() : answering(); }
  Transport TransportOf(CURLcode result) const;
  std::string Words(CURLcode result) const;
  Outcome Conclude(Transport end, std::string words);
  void Scrub(Outcome* outcome) const;

  Attempt attempt_;
  const Dialect& dialect_;
  const TransferOptions& options_;
  Deadlines::Alarm alarm_;
  Response response_;

  EasyHandle easy_;
  std::shared_ptr<CURLU> url_;
  HeaderList headers_;
  std::string request_body_;
  std::array<char, CURL_ERROR_SIZE> error_{};

  const Instant accepted_at_;
  Instant started_at_{};
  Instant sent_at_{};
  Instant first_byte_at_{};
  Instant last_byte_at_{};
  Instant complete_at_{};
  bool paused_ = false;
  Instant paused_at_{};
  Instant::duration paused_for_{};  // in all, without the pause under way
  bool lost_ = false;               // the connection was closed after sending, without an answer
  bool arrived_whole_ = true;       // as far as is known
  bool sent_again_ = false;
};

}  // namespace requestrouter::upstream
