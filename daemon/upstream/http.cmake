# HTTP: the client's thread, its transfers, server-sent events.
add_library(rr_http STATIC
  client.cc
  header_list.cc
  parsed_urls.cc
  response.cc
  response_headers.cc
  socket_watch.cc
  sse.cc
  transfer.cc
  transfer_loop.cc)
target_link_libraries(rr_http PUBLIC rr_dialects PRIVATE PkgConfig::CURL Threads::Threads)
