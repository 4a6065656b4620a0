#pragma once

#include "tests/support/sim/json.h"

namespace requestrouter::sim {

// The smallest value worth looking at that a JSON schema admits: required properties only (all of
// them where none is required), one item in arrays unless more are asked for, strings that say the
// name of their property. Understands type (in Gemini's capitals too), enum, const, default,
// $ref to #/$defs, anyOf, oneOf, allOf, bounds of numbers, strings and arrays, and the formats
// date, date-time, time, email, uri and uuid. `name` is the property's, for its text.
Json InstanceOf(const Json& schema, const std::string& name = "answer");

}  // namespace requestrouter::sim
