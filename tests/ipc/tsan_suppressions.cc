// libzmq is not built with ThreadSanitizer, so that its own synchronisation (lock-free pipes,
// reference counts) is invisible and what passes through it looks like a race. Only
// ThreadSanitizer's runtime calls this; other builds ignore it.

extern "C" {

__attribute__((visibility("default"))) const char* __tsan_default_suppressions();

const char* __tsan_default_suppressions() { return "race:libzmq.so\n"; }

}  // extern "C"
