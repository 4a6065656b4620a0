#pragma once

// What clang's thread safety analysis is told (-Wthread-safety; `./dev build clang`); to other
// compilers it is nothing. See https://clang.llvm.org/docs/ThreadSafetyAnalysis.html.

#if defined(__clang__)
#define RR_THREADS(attribute) __attribute__((attribute))
#else
#define RR_THREADS(attribute)
#endif

#define RR_CAPABILITY(name) RR_THREADS(capability(name))
#define RR_SCOPED_CAPABILITY RR_THREADS(scoped_lockable)

// Of a member: only with the mutex held.
#define RR_GUARDED_BY(mutex) RR_THREADS(guarded_by(mutex))

// Of a function, or a lambda behind its parameters: only with the mutex held, or on the thread that
// has the role.
#define RR_REQUIRES(...) RR_THREADS(requires_capability(__VA_ARGS__))

#define RR_ACQUIRE(...) RR_THREADS(acquire_capability(__VA_ARGS__))
#define RR_RELEASE(...) RR_THREADS(release_capability(__VA_ARGS__))
#define RR_ASSERT(...) RR_THREADS(assert_capability(__VA_ARGS__))
