#pragma once

#include "ipc/value.h"

// What a provider's structured output demands of a caller's JSON schema. Pure; recursion is as
// deep as the schema, which the wire's nesting limit bounds.
namespace requestrouter::upstream {

// Whether every object of the schema lists all its properties as required and admits no others:
// what OpenAI demands for `strict: true` (guide "Structured model outputs", "Supported schemas").
bool IsStrictSchema(const ipc::Value& schema);

// The schema with `additionalProperties: false` wherever an object says nothing of it: Anthropic
// refuses objects without it (guide "Structured outputs", "JSON Schema limitations"), and its own
// SDKs add it. Every answer that fits the result fits `schema`.
ipc::Value ClosedSchema(const ipc::Value& schema);

// Whether the schema keeps to the subset of OpenAPI 3.0 that Gemini's `Schema` type has, which
// all its models know; a newer field takes full JSON schemas.
bool IsGeminiSchema(const ipc::Value& schema);

}  // namespace requestrouter::upstream
