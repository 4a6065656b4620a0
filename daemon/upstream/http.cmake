add_library(rr_http STATIC client.cc sse.cc transfer.cc)
target_link_libraries(rr_http PUBLIC rr_dialects PRIVATE PkgConfig::CURL Threads::Threads)
