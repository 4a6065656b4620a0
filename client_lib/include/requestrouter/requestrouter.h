/* The C interface of requestrouter's client: what other languages bind to.
 *
 * Operations and their bodies are those of ipc/PROTOCOL.md, as JSON text in UTF-8. Binary data,
 * which JSON lacks, is base64 text under a name with the suffix `_base64`: the `data` of an image
 * part is `data_base64` here.
 *
 * All functions may be called from any thread; one rr_call is used by one thread at a time. None of
 * them throws, and none does I/O but rr_call_start, which begins the background thread of its
 * client. After fork() the child may go on using its rr_client (it gets a connection of its own)
 * and may free the calls it inherited; their answers come in the parent only.
 *
 * The interface is stable: functions and fields are added, never changed. The structs that grow
 * begin with their size.
 */
#ifndef REQUESTROUTER_REQUESTROUTER_H_
#define REQUESTROUTER_REQUESTROUTER_H_

#include <stddef.h>
#include <stdint.h>

#include "requestrouter/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rr_client rr_client; /* a connection to routerd */
typedef struct rr_call rr_call;     /* one request and its answer */

/* Zero in a field means its default. */
typedef struct rr_options {
  size_t size;                /* sizeof(rr_options) */
  const char* endpoint;       /* NULL: REQUESTROUTER_ENDPOINT, else the user's, else the system's */
  int64_t connect_timeout_ms; /* for a daemon that was not reached yet; 2000 */
  int64_t reconnect_timeout_ms; /* for a daemon that restarts; 30000 */
  uint64_t max_payload_bytes;   /* larger requests are refused here; 16 MiB */
} rr_options;

typedef struct rr_call_options {
  size_t size;            /* sizeof(rr_call_options) */
  const char* request_id; /* the idempotency key; NULL: a new one */
  int64_t deadline_ms;    /* how long the answer is wanted; 120000 */
  int32_t no_resend;      /* not zero: fail where the daemon restarts, instead of asking again */
} rr_call_options;

typedef enum rr_status {
  RR_EVENT = 0,   /* a message before the final one: the body, as a delta or progress */
  RR_REPLY = 1,   /* the final body; nothing follows */
  RR_ERROR = 2,   /* the final error: {"type","message","retryable","retry_after_ms"?,"details"?,
                     "partial_content"?,"request_id"?}; nothing follows */
  RR_TIMEOUT = 3, /* nothing came in time; call again */
  RR_ENDED = 4    /* the final message has been given already */
} rr_status;

/* The version of the library, such as "1.2.3". */
REQUESTROUTER_EXPORT const char* rr_version(void);

/* NULL options: the defaults. Does no I/O. NULL where memory is out. */
REQUESTROUTER_EXPORT rr_client* rr_client_new(const rr_options* options);

/* Ends its calls in flight with the error `client_closed`; they are still to be freed. NULL is
 * fine. */
REQUESTROUTER_EXPORT void rr_client_free(rr_client* client);

/* Starts a request and returns at once. `body_json` NULL: an empty body. What is wrong with the
 * arguments is told by rr_call_next. NULL where memory is out. */
REQUESTROUTER_EXPORT rr_call* rr_call_start(rr_client* client, const char* op,
                                            const char* body_json, const rr_call_options* options);

/* The request's id, for rr_call_cancel by others and for `routerctl explain`. Lives with the call.
 */
REQUESTROUTER_EXPORT const char* rr_call_id(const rr_call* call);

/* Waits up to `timeout_ms` (negative: for ever) for the next message. `*json` is its text, empty
 * for RR_TIMEOUT and RR_ENDED, and valid until the next call with this rr_call. */
REQUESTROUTER_EXPORT rr_status rr_call_next(rr_call* call, int64_t timeout_ms, const char** json);

/* A descriptor that is readable while rr_call_next would not wait, for event loops. Owned by the
 * call. -1 where descriptors ran out. */
REQUESTROUTER_EXPORT int rr_call_fd(rr_call* call);

/* Asks the daemon to cancel the request; rr_call_next then gives how it ended. Does not wait. */
REQUESTROUTER_EXPORT void rr_call_cancel(rr_call* call);

/* Frees a call. One that has not ended is cancelled. NULL is fine. */
REQUESTROUTER_EXPORT void rr_call_free(rr_call* call);

#ifdef __cplusplus
}
#endif

#endif /* REQUESTROUTER_REQUESTROUTER_H_ */
