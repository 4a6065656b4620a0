find_package(ZLIB REQUIRED)
rr_test(http_test
  SOURCES
    easy_pool_test.cc
    http_answer_test.cc
    http_failure_test.cc
    http_fixture.cc
    http_request_test.cc
    http_server.cc
    http_stream_test.cc
    sse_test.cc
  LIBS rr_http ZLIB::ZLIB)
