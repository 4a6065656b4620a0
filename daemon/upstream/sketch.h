#pragma once

#include <optional>
#include <string>

#include "daemon/upstream/attempt.h"

// Whether a provider can be asked a prompt at all, found out before anything is reserved or sent.
// The encoders' own rules are the only ones: a sketch of the prompt is encoded, with everything
// that a rule could refuse and nothing of its weight. Pure.
namespace requestrouter::upstream {

// Text alone, asked with options that every provider takes: nothing to find out. Most prompts are
// so, and the encoding of sketches is saved.
bool IsPlain(const Prompt& prompt);

// The prompt with pictures of one byte, and without the messages of which no provider refuses any:
// text alone, but for one.
Prompt SketchOf(const Prompt& prompt);

// Why `model` of `provider` cannot be asked, naming the field; nullopt: it can, as far as the
// sketch tells.
std::optional<std::string> WhyNot(const std::shared_ptr<const Provider>& provider,
                                  const std::string& model,
                                  const std::shared_ptr<const Prompt>& sketch);

}  // namespace requestrouter::upstream
