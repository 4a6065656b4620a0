rr_test(dialects_test
  SOURCES
    anthropic_decode_test.cc
    anthropic_encode_test.cc
    call_ids_test.cc
    dialect_fixture.cc
    foreign_history_test.cc
    gemini_decode_test.cc
    gemini_encode_test.cc
    golden_test.cc
    hostile_answers_test.cc
    image_test.cc
    json_bounds_test.cc
    json_schema_test.cc
    model_name_test.cc
    openai_decode_test.cc
    openai_encode_test.cc
    provider_error_test.cc
    request_build_test.cc
    sketch_test.cc
  LIBS rr_dialects)
target_compile_definitions(dialects_test PRIVATE
  GOLDEN_DIR="${CMAKE_SOURCE_DIR}/tests/golden/providers")
