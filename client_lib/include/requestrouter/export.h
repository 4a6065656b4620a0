#ifndef REQUESTROUTER_EXPORT_H_
#define REQUESTROUTER_EXPORT_H_

// Marks what librequestrouter.so shows to its users; everything else in it is hidden.
#define REQUESTROUTER_EXPORT __attribute__((visibility("default")))

#endif  // REQUESTROUTER_EXPORT_H_
