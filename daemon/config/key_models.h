#pragma once

#include "daemon/config/object_reader.h"

// The models of a key, with their limits.
namespace requestrouter::config {

// Reads them into `key`. Limits that are not given are by the rules of `provider` (null: not known)
// and the settings. The flat form names one model by `model_name`; the limits beside it are that
// model's. Without it they are those of every model of `models` that does not have its own.
void ReadModels(const ObjectReader& reader, const Provider* provider, const Settings& settings,
                Key& key);

}  // namespace requestrouter::config
