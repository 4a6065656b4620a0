#include "tests/upstream/http_fixture.h"

#include <algorithm>
#include <utility>

namespace requestrouter::upstream {
namespace {

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

class PlainDecoder final : public StreamDecoder {
 public:
  tl::expected<std::vector<ipc::ChatDelta>, std::string> OnEvent(std::string_view,
                                                                 std::string_view data) override {
    if (data == "unreadable") return tl::unexpected(std::string("not an event of mine"));
    if (data == "[DONE]") {
      complete_ = true;
      return std::vector<ipc::ChatDelta>();
    }
    if (StartsWith(data, "error:")) {
      error_ = ProviderError();
      error_->readable = true;
      error_->code = data.substr(6);
      return std::vector<ipc::ChatDelta>();
    }
    answer_.content += data;
    return std::vector<ipc::ChatDelta>{{std::string(data), "", std::nullopt}};
  }

  const ProviderError* error() const override { return error_ ? &*error_ : nullptr; }
  bool complete() const override { return complete_; }
  Answer Take() override { return std::move(answer_); }

 private:
  Answer answer_;
  std::optional<ProviderError> error_;
  bool complete_ = false;
};

}  // namespace

tl::expected<HttpRequest, std::string> PlainDialect::Encode(const Attempt& attempt) const {
  if (attempt.model == "impossible") return tl::unexpected(std::string("model: not here"));
  HttpRequest request;
  request.url = attempt.provider->base_url + "/chat";
  request.headers = {{"x-key", attempt.secret}, {"content-type", "application/json"}};
  request.headers.insert(request.headers.end(), attempt.provider->headers.begin(),
                         attempt.provider->headers.end());
  request.body = attempt.model;
  return request;
}

tl::expected<Answer, std::string> PlainDialect::Decode(std::string_view body) const {
  if (!StartsWith(body, "ok:")) return tl::unexpected(std::string("not an answer of mine"));
  Answer answer;
  answer.content = body.substr(3);
  return answer;
}

std::unique_ptr<StreamDecoder> PlainDialect::NewStreamDecoder() const {
  return std::make_unique<PlainDecoder>();
}

ProviderError PlainDialect::DecodeError(std::string_view body) const {
  ProviderError error;
  error.readable = StartsWith(body, "{");
  error.message = body;
  return error;
}

void Reports::OnDelta(std::int64_t attempt_id, ipc::ChatDelta delta) {
  const std::lock_guard lock(mutex_);
  texts_[attempt_id] += delta.text;
  ++deltas_[attempt_id];
  changed_.notify_all();
}

void Reports::OnOutcome(std::int64_t attempt_id, Outcome outcome) {
  const std::lock_guard lock(mutex_);
  outcomes_[attempt_id] = std::move(outcome);
  order_.push_back(attempt_id);
  changed_.notify_all();
}

Outcome Reports::WaitForOutcome(std::int64_t attempt_id) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return outcomes_.count(attempt_id) > 0; });
  return outcomes_[attempt_id];
}

void Reports::WaitForText(std::int64_t attempt_id, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return texts_[attempt_id].size() >= bytes; });
}

std::string Reports::Text(std::int64_t attempt_id) {
  const std::lock_guard lock(mutex_);
  return texts_[attempt_id];
}

std::size_t Reports::Deltas(std::int64_t attempt_id) {
  const std::lock_guard lock(mutex_);
  return deltas_[attempt_id];
}

std::vector<std::int64_t> Reports::order() {
  const std::lock_guard lock(mutex_);
  return order_;
}

bool Reports::Ended(std::int64_t attempt_id) {
  const std::lock_guard lock(mutex_);
  return outcomes_.count(attempt_id) > 0;
}

TransferOptions PlainOptions() {
  static const PlainDialect dialect;
  TransferOptions options;
  options.dialect = [](ProviderKind) -> const Dialect& { return dialect; };
  return options;
}

Attempt PlainAttempt(std::int64_t id, const std::string& url) {
  auto provider = std::make_shared<Provider>();
  provider->base_url = url;
  Attempt attempt;
  attempt.id = id;
  attempt.provider = std::move(provider);
  attempt.model = "model-a";
  attempt.secret = "plain-secret-0123456789";
  return attempt;
}

Attempt StreamedAttempt(std::int64_t id, const std::string& url) {
  Attempt attempt = PlainAttempt(id, url);
  attempt.stream = true;
  return attempt;
}

Outcome HttpFixture::Run(Attempt attempt) {
  const std::int64_t id = attempt.id;
  client.Send(std::move(attempt));
  return reports.WaitForOutcome(id);
}

}  // namespace requestrouter::upstream
