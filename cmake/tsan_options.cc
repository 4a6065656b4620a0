// How ThreadSanitizer is to see our programs, in every one of them: tests start them with
// environments of their own. Libraries are not built with it, so that their own synchronisation
// (libzmq's lock-free pipes) is invisible: what they do with memory is not looked at, and what
// passes through libzmq and looks like a race all the same is overlooked. The tests of fork start
// threads in the child, which ThreadSanitizer has to be asked for. Only its runtime calls these.

extern "C" {

__attribute__((visibility("default"))) const char* __tsan_default_suppressions();
__attribute__((visibility("default"))) const char* __tsan_default_options();

const char* __tsan_default_suppressions() {
  return "race:libzmq.so\n"
         "race:libpgm\n";
}

const char* __tsan_default_options() { return "die_after_fork=0 ignore_noninstrumented_modules=1"; }

}  // extern "C"
