#ifndef REQUESTROUTER_REQUESTROUTER_DIRECT_H_
#define REQUESTROUTER_REQUESTROUTER_DIRECT_H_

#include <stdint.h>

#include "requestrouter/export.h"
#include "requestrouter/requestrouter.h"

/* The C interface of DirectClient (direct.h), in librequestrouter_direct.so. Texts are UTF-8. */

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rr_direct rr_direct;

/* The body of a message before the final one. Return 0 to cancel. Must not throw. */
typedef int (*rr_direct_event)(void* context, const char* body_json);

/* Null arguments mean the environment (see DirectOptions). NULL: out of memory or descriptors. */
REQUESTROUTER_EXPORT rr_direct* rr_direct_new(const char* api_key, const char* provider);
/* Ends the calls in flight with the error `client_closed` and waits until they have returned. NULL
 * is fine. */
REQUESTROUTER_EXPORT void rr_direct_free(rr_direct* direct);

/* Waits for the answer, `deadline_ms` at most, which is brought to 1 ... 86,400,000. 0: `*json` is
 * the reply's body; 1: the wire's `error` map. `*json` is to be given to rr_direct_text_free and is
 * NULL when memory ran out. `on_event` may be NULL and runs on the calling thread. */
REQUESTROUTER_EXPORT int rr_direct_call(rr_direct* direct, const char* op, const char* body_json,
                                        int64_t deadline_ms, rr_direct_event on_event,
                                        void* context, char** json);
REQUESTROUTER_EXPORT void rr_direct_text_free(char* json);

/* A chat that is asked of `router`, and of the provider itself where no daemon answers or
 * LLM_MULTI_KEY_ROUTER_ENABLED is false: giving both is the permission. See FallbackClient in
 * direct.h for what is not called directly. Otherwise as rr_direct_call. */
REQUESTROUTER_EXPORT int rr_fallback_chat(rr_client* router, rr_direct* direct,
                                          const char* body_json, int64_t deadline_ms,
                                          rr_direct_event on_event, void* context, char** json);

#ifdef __cplusplus
}
#endif

#endif /* REQUESTROUTER_REQUESTROUTER_DIRECT_H_ */
