#ifndef TESTS_CLIENT_C_API_TEST_H_
#define TESTS_CLIENT_C_API_TEST_H_

#include "requestrouter/requestrouter.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Streams one chat; gives the final text in `content` and returns the number of events before it,
 * or -1 where the interface did not keep its word. */
int CountEventsInC(const char* endpoint, char* content, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* TESTS_CLIENT_C_API_TEST_H_ */
