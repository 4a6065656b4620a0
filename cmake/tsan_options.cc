// How ThreadSanitizer is to see our programs, in every one of them: tests start them with
// environments of their own. libzmq is not built with it, so that its own synchronisation
// (lock-free pipes) is invisible and whatever passes through it looks like a race; and the tests of
// fork start threads in the child, which ThreadSanitizer has to be asked for. Only its runtime
// calls these.

extern "C" {

__attribute__((visibility("default"))) const char* __tsan_default_suppressions();
__attribute__((visibility("default"))) const char* __tsan_default_options();

const char* __tsan_default_suppressions() {
  return "race:libzmq.so\n"
         "race:libpgm\n";
}

const char* __tsan_default_options() { return "die_after_fork=0"; }

}  // extern "C"
