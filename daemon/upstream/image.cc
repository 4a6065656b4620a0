#include "daemon/upstream/image.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "daemon/upstream/base64.h"

namespace requestrouter::upstream {
namespace {

using Result = tl::expected<Image, std::string>;

Result Refuse(const char* reason) { return tl::unexpected(std::string(reason)); }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower;
}

// data:image/png;base64,iVBORw…
Result FromDataUrl(std::string_view url) {
  constexpr std::string_view kMark = ";base64,";
  const std::size_t mark = url.find(kMark);
  if (mark == std::string_view::npos) return Refuse("image.url: a data: URL must be in base64");
  Image image;
  image.mime_type = Lower(url.substr(5, mark - 5));
  image.base64 = std::string(url.substr(mark + kMark.size()));
  if (!image.mime_type.starts_with("image/")) return Refuse("image.url: not an image");
  return image;
}

std::string MimeTypeByEnding(std::string_view url) {
  constexpr std::array<std::pair<std::string_view, const char*>, 7> kEndings = {{
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".webp", "image/webp"},
      {".gif", "image/gif"},
      {".heic", "image/heic"},
      {".heif", "image/heif"},
  }};
  const std::string path = Lower(url.substr(0, url.find_first_of("?#")));
  for (const auto& [ending, mime_type] : kEndings) {
    if (path.size() >= ending.size() &&
        path.compare(path.size() - ending.size(), ending.size(), ending) == 0) {
      return mime_type;
    }
  }
  return {};
}

Result FromUrl(const ipc::ImagePart& part) {
  const std::string scheme = Lower(std::string_view(part.url).substr(0, 8));
  if (scheme.starts_with("data:")) return FromDataUrl(part.url);
  if (!scheme.starts_with("https://") && !scheme.starts_with("http://")) {
    return Refuse("image.url: must begin with https://, http:// or data:");
  }
  Image image;
  image.url = part.url;
  image.mime_type = part.mime_type.empty() ? MimeTypeByEnding(part.url) : part.mime_type;
  return image;
}

}  // namespace

tl::expected<Image, std::string> ResolveImage(const ipc::ImagePart& part) {
  if (!part.url.empty()) return FromUrl(part);
  if (part.data.empty()) return Refuse("image.data: empty");
  if (part.mime_type.empty()) return Refuse("image.mime_type: missing beside data");
  return Image{Lower(part.mime_type), Base64(part.data), std::string()};
}

}  // namespace requestrouter::upstream
