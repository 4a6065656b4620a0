#pragma once

#include <string>
#include <vector>

#include "daemon/router/catalog.h"
#include "daemon/upstream/attempt.h"
#include "ipc/error.h"

// Which models can be asked a prompt so that nothing of it is lost: no tool, no picture, no schema,
// neither of the request nor of the history that goes with it. Pure.
namespace requestrouter::router {

// Every suitable one, or none where all are. Fails with kInvalidRequest, naming what is lacking,
// where no model is suitable, and where the one that is asked for is not and none may stand in for
// it. What a model can do is what `models.<name>.capabilities` says, and what its provider's
// encoding can express. Models whose context is too short do not stand in where others can: the
// length is an estimate, so that alone is no reason to refuse.
ipc::Result<std::vector<std::string>> SuitableModels(const Catalog& catalog,
                                                     const upstream::Prompt& prompt,
                                                     bool allow_fallback);

}  // namespace requestrouter::router
