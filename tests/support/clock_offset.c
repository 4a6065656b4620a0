// Preloaded into routerd, moves its wall clock while it runs: CLOCK_REALTIME is offset by the
// milliseconds (a little-endian int64) in the file that REQUESTROUTER_CLOCK names. The monotonic
// clock goes on as it is, as when somebody sets a machine's clock.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t* offset_ms;

__attribute__((constructor)) static void Open(void) {
  const char* path = getenv("REQUESTROUTER_CLOCK");
  if (!path) return;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) abort();
  void* mapped = mmap(NULL, sizeof *offset_ms, PROT_READ, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) abort();
  close(fd);
  offset_ms = mapped;
}

int clock_gettime(clockid_t clock, struct timespec* at) {
  const int done = (int)syscall(SYS_clock_gettime, clock, at);
  if (done != 0 || !offset_ms || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) {
    return done;
  }
  const int64_t nanoseconds = at->tv_nsec + (*offset_ms % 1000) * 1000000;
  at->tv_sec += *offset_ms / 1000 + (nanoseconds < 0 ? -1 : nanoseconds / 1000000000);
  at->tv_nsec = nanoseconds < 0 ? nanoseconds + 1000000000 : nanoseconds % 1000000000;
  return 0;
}

int gettimeofday(struct timeval* restrict at, void* restrict zone) {
  (void)zone;
  struct timespec now;
  const int done = clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return done;
}

time_t time(time_t* at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
