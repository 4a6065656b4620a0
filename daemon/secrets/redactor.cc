#include "daemon/secrets/redactor.h"

#include <string.h>

#include <algorithm>

#include "daemon/secrets/key_patterns.h"
#include "daemon/secrets/secrets.h"
#include "daemon/secrets/sources.h"
#include "threads/mutex.h"

namespace requestrouter::secrets {
namespace {

constexpr std::string_view kReplacement = "[redacted]";
constexpr std::size_t kShortest = 4;
constexpr std::ptrdiff_t kFormer = 64;  // secrets that were replaced and stay known

std::string UrlEncoded(std::string_view text, const char* digits) {
  std::string encoded;
  encoded.reserve(text.size() * 3);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '-' || c == '.' || c == '_' || c == '~';  // RFC 3986, 2.3
    if (kept) {
      encoded += c;
    } else {
      encoded += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return encoded;
}

// As JSON writers put it between quotes; secrets are printable ASCII, so these three suffice.
std::string JsonEscaped(std::string_view text, std::string_view escaped) {
  std::string result;
  result.reserve(text.size() * 2);
  for (const char c : text) {
    if (escaped.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

// The forms of all secrets, without repetition.
using Needles = std::vector<Secret>;

void Add(Needles& needles, std::string text) {
  const bool known = std::any_of(needles.begin(), needles.end(),
                                 [&](const Secret& other) { return other.Reveal() == text; });
  if (!known) needles.emplace_back(text);
  Wipe(text);
}

void AddForms(Needles& needles, std::string_view secret) {
  Add(needles, std::string(secret));
  Add(needles, UrlEncoded(secret, "0123456789ABCDEF"));
  Add(needles, UrlEncoded(secret, "0123456789abcdef"));
  Add(needles, JsonEscaped(secret, "\"\\"));
  Add(needles, JsonEscaped(secret, "\"\\/"));
}

void FindAll(std::string_view text, std::string_view needle, std::vector<Range>& ranges) {
  const char* const end = text.data() + text.size();
  const char* at = text.data();
  while (at < end) {
    // glibc's memmem takes linear time, which std::string_view::find does not promise.
    const void* hit =
        ::memmem(at, static_cast<std::size_t>(end - at), needle.data(), needle.size());
    if (hit == nullptr) return;
    const auto begin = static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
    ranges.push_back({begin, begin + needle.size()});
    at = text.data() + begin + 1;
  }
}

std::string Replace(std::string_view text, std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::string result;
  std::size_t done = 0;  // of `text`
  for (std::size_t i = 0; i < ranges.size();) {
    Range joined = ranges[i];
    for (++i; i < ranges.size() && ranges[i].begin <= joined.end; ++i) {
      joined.end = std::max(joined.end, ranges[i].end);
    }
    result.append(text.substr(done, joined.begin - done)).append(kReplacement);
    done = joined.end;
  }
  return result.append(text.substr(done));
}

}  // namespace

class Redactor::Impl {
 public:
  void Set(const std::vector<std::string_view>& secrets) {
    const threads::Lock lock(mutex_);
    for (Secret& secret : current_) {
      if (!IsIn(secrets, secret)) former_.push_back(std::move(secret));
    }
    std::erase_if(former_, [&](const Secret& secret) { return IsIn(secrets, secret); });
    if (std::ssize(former_) > kFormer) former_.erase(former_.begin(), former_.end() - kFormer);
    current_.clear();
    auto needles = std::make_shared<Needles>();
    for (const std::string_view secret : secrets) {
      if (secret.size() < kShortest) continue;
      current_.emplace_back(secret);
      AddForms(*needles, secret);
    }
    for (const Secret& secret : former_) AddForms(*needles, secret.Reveal());
    needles_ = std::move(needles);
  }
  std::shared_ptr<const Needles> Get() const {
    const threads::Lock lock(mutex_);
    return needles_;
  }

 private:
  static bool IsIn(const std::vector<std::string_view>& secrets, const Secret& secret) {
    return std::find(secrets.begin(), secrets.end(), secret.Reveal()) != secrets.end();
  }

  mutable threads::Mutex mutex_;
  std::vector<Secret> current_ RR_GUARDED_BY(mutex_);
  std::vector<Secret> former_ RR_GUARDED_BY(mutex_);  // the oldest first
  std::shared_ptr<const Needles> needles_ RR_GUARDED_BY(mutex_) = std::make_shared<Needles>();
};

Redactor::Redactor() : impl_(std::make_unique<Impl>()) {}
Redactor::~Redactor() = default;

void Redactor::SetSecrets(const std::vector<std::string_view>& secrets) { impl_->Set(secrets); }

std::string Redactor::Redact(std::string_view text) const {
  const auto needles = impl_->Get();
  std::vector<Range> ranges;
  for (const Secret& needle : *needles) FindAll(text, needle.Reveal(), ranges);
  FindKeyLike(text, ranges);
  if (ranges.empty()) return std::string(text);
  return Replace(text, std::move(ranges));
}

Redactor& ProcessRedactor() {
  static auto* const redactor = new Redactor();
  return *redactor;
}

}  // namespace requestrouter::secrets
