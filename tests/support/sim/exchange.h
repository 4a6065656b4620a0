#pragma once

#include <event2/event.h>
#include <event2/http.h>

#include <functional>
#include <memory>

#include "tests/support/sim/reply.h"

namespace requestrouter::sim {

// One reply on its way through evhttp: waits, sends piece after piece, ends as told, and notices
// when the client leaves first. Deletes itself after `done` was called. Event loop's thread.
class Exchange {
 public:
  // Called exactly once, except when the loop ends before.
  using Done = std::function<void(std::uint64_t number, bool client_left)>;

  // Takes the request over. May finish before it returns. An exchange that has not finished is
  // linked into `open`, so that what is left when the server ends can be freed.
  static void Start(event_base* base, evhttp_request* request, Reply reply, Done done,
                    Exchange** open);
  // Frees an exchange that will not go on, without ending it. Before evhttp_free.
  static void FreeAll(Exchange** open);

  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

 private:
  struct FreeEvent {
    void operator()(event* one) const { event_free(one); }
  };
  using Event = std::unique_ptr<event, FreeEvent>;

  Exchange(event_base* base, evhttp_request* request, Reply reply, Done done, Exchange** open);
  ~Exchange();

  void Begin();
  void AddHeaders();
  void SendWhole();
  void SendPieces();
  void SendNext();
  void End();
  void CloseConnection(bool with_reset);
  void FreeConnection();
  void WatchClient();
  void Wait(Millis time);
  void Finish(bool client_left);
  void ClientLeft();

  static void OnTimer(evutil_socket_t, short, void* self) noexcept;
  static void OnHangUp(evutil_socket_t, short, void* self) noexcept;
  static void OnConnectionClosed(evhttp_connection*, void* self) noexcept;

  event_base* base_;
  evhttp_request* request_;
  Reply reply_;
  Done done_;
  Event timer_;
  Event hang_up_;
  std::size_t next_ = 0;  // piece
  bool begun_ = false;    // the status line has been handed over
  Exchange** open_;       // head of the list of those that have not finished
  Exchange* after_ = nullptr;
  Exchange* before_ = nullptr;
};

}  // namespace requestrouter::sim
