/* The C interface used from C: compiled as C99 against the shared library, with no C++ in sight.
 * Run by c_api_test.cc, which has the router. */
#include "tests/client/c_api_test.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

int CountEventsInC(const char* endpoint, char* content, size_t size) {
  rr_options options = {sizeof options, endpoint, 0, 0, 0};
  rr_call_options call_options = {sizeof call_options, "from-c", 60000, 0};
  rr_client* client = rr_client_new(&options);
  rr_call* call = rr_call_start(client, "chat", "{\"prompt\":\"Hi\"}", &call_options);
  const char* json = NULL;
  int events = 0;
  int in_order = strcmp(rr_call_id(call), "from-c") == 0;
  struct pollfd ready;
  ready.fd = rr_call_fd(call);
  ready.events = POLLIN;
  poll(&ready, 1, -1);
  while (rr_call_next(call, -1, &json) == RR_EVENT) ++events;
  snprintf(content, size, "%s", json);
  in_order = in_order && rr_call_next(call, 0, &json) == RR_ENDED;
  rr_call_free(call);
  rr_client_free(client);
  return in_order ? events : -1;
}
