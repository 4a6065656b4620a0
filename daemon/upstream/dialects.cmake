# The providers' encodings: pure, no I/O, no threads.
add_library(rr_dialects STATIC)
target_sources(rr_dialects PRIVATE
  anthropic_decode.cc
  anthropic_encode.cc
  anthropic_messages.cc
  anthropic_stream.cc
  base64.cc
  call_ids.cc
  dialect.cc
  gemini_contents.cc
  gemini_decode.cc
  gemini_encode.cc
  google_rpc.cc
  image.cc
  json_bounds.cc
  json_schema.cc
  json_view.cc
  model_name.cc
  openai_decode.cc
  openai_encode.cc
  openai_messages.cc
  openai_stream.cc
  prompt.cc
  provider_error.cc
  reasoning.cc
  request_build.cc
  sketch.cc)
target_link_libraries(rr_dialects PUBLIC rr_ipc PRIVATE PkgConfig::SIMDJSON)
