#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace requestrouter::config {

// How many single-character edits (insert, delete, replace, swap of neighbours) turn one text into
// the other, ignoring ASCII case: the optimal string alignment distance. By hand, because no
// library in the tree has it.
std::size_t EditDistance(std::string_view a, std::string_view b);

// How many characters at the front of both are not the same to the letter.
std::size_t OtherCases(std::string_view a, std::string_view b);

// The candidate that `text` was probably meant to be, or nullopt. A third of the characters may
// differ, but no more than three. Of equally near ones, the one that is nearest in its case, too.
template <typename Range>
std::optional<std::string> Suggest(std::string_view text, const Range& candidates) {
  std::optional<std::string> best;
  std::size_t least = std::clamp<std::size_t>(text.size() / 3, 1, 3) + 1;
  for (const auto& candidate : candidates) {
    const std::size_t distance = EditDistance(text, candidate);
    const bool nearer = distance < least || (best && distance == least &&
                                             OtherCases(text, candidate) < OtherCases(text, *best));
    if (!nearer) continue;
    least = distance;
    best = std::string(candidate);
  }
  return best;
}

// In lower case and without what is neither letter nor digit: "keyId" and "key_id" are the same.
std::string Folded(std::string_view name);

// `; did you mean "rpm"?`, or nothing.
template <typename Range>
std::string DidYouMean(std::string_view text, const Range& candidates) {
  const auto best = Suggest(text, candidates);
  return best ? "; did you mean \"" + *best + "\"?" : "";
}

}  // namespace requestrouter::config
