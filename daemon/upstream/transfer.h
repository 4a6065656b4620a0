#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>

#include "daemon/upstream/client.h"
#include "daemon/upstream/dialect.h"
#include "daemon/upstream/sse.h"

namespace requestrouter::upstream {

// One attempt on its way: a curl easy handle, and what has come back so far. Upstream thread only.
class Transfer {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  // Bytes of a response that are kept; more is not an answer.
  static constexpr std::size_t kMostBody = 64u << 20;
  static constexpr std::size_t kMostErrorBody = 64u << 10;
  static constexpr std::size_t kMostHeaders = 64;

  // `listener` outlives the transfer.
  Transfer(Attempt attempt, Listener* listener, Instant now);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Encodes and sets the handle up. False: the prompt cannot be expressed; report Outcome() now.
  bool Prepare();

  std::int64_t id() const { return attempt_.id; }
  CURL* handle() const { return easy_; }

  // When to look again at the time-outs, and whether one has passed.
  Instant NextTimeout() const;
  bool IsOverdue(Instant now) const { return now >= NextTimeout(); }

  void Pause();
  void Resume();

  // The end, as curl or the client tells it; to be reported once.
  upstream::Outcome Outcome(CURLcode result);
  upstream::Outcome TimedOut();
  upstream::Outcome Cancelled();

 private:
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self) noexcept;
  static int OnPrerequest(void* self, char*, char*, int, int) noexcept;

  void AddHeaders(const HttpRequest& request);
  void Configure(const HttpRequest& request);
  void KeepHeader(std::string_view line);
  bool TakeBody(std::string_view chunk);
  bool TakeEvents(std::string_view chunk);
  bool IsStreaming();
  long Status() const;
  upstream::Outcome Begin(Transport transport);
  void FinishAnswer(upstream::Outcome& outcome);
  Transport TransportOf(CURLcode result) const;

  Attempt attempt_;
  Listener* const listener_;
  const Dialect& dialect_;
  const Instant started_;
  Instant last_byte_;
  Instant sent_at_{};
  Instant first_byte_at_{};
  bool paused_ = false;
  bool streamed_ = false;

  CURL* easy_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string request_body_;
  std::string body_;
  std::string content_type_;
  std::vector<std::pair<std::string, std::string>> kept_headers_;
  std::string refusal_;  // why the prompt cannot be expressed, or an event not be read
  SseParser events_;
  std::unique_ptr<StreamDecoder> decoder_;
};

}  // namespace requestrouter::upstream
