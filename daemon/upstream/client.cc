#include "daemon/upstream/client.h"

#include <pthread.h>

#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/upstream/transfer_loop.h"
#include "threads/mutex.h"

namespace requestrouter::upstream {
namespace {

struct SendCommand {
  Attempt attempt;
  void Do(TransferLoop& loop) { loop.Send(std::move(attempt)); }
};

struct CancelCommand {
  std::int64_t id;
  void Do(TransferLoop& loop) const { loop.Cancel(id); }
};

struct PauseCommand {
  std::int64_t id;
  void Do(TransferLoop& loop) const { loop.Pause(id); }
};

struct ResumeCommand {
  std::int64_t id;
  void Do(TransferLoop& loop) const { loop.Resume(id); }
};

using Command = std::variant<SendCommand, CancelCommand, PauseCommand, ResumeCommand>;

}  // namespace

// The loop, its thread and the mailbox in front of it. Commands are done in the order in which they
// were given. How many attempts there are is bounded by the router's own queue.
class Client::Impl {
 public:
  Impl(Listener* listener, TransferOptions options)
      : loop_(listener, std::move(options)), thread_([this] { Run(); }) {
    pthread_setname_np(thread_.native_handle(), "upstream");
  }

  ~Impl() {
    {
      const threads::Lock lock(mutex_);
      stopping_ = true;
    }
    loop_.Wake();
    thread_.join();
  }

  void Post(Command command) {
    bool first = false;
    {
      const threads::Lock lock(mutex_);
      first = commands_.empty();
      commands_.push_back(std::move(command));
    }
    if (first) loop_.Wake();
  }

 private:
  void Run() {
    while (DoCommands()) loop_.Turn();
    loop_.CancelAll();
  }

  // False: it is time to stop.
  bool DoCommands() {
    std::vector<Command> commands;
    bool stopping = false;
    {
      const threads::Lock lock(mutex_);
      commands.swap(commands_);
      stopping = stopping_;
    }
    for (Command& command : commands) {
      std::visit([this](auto& known) { known.Do(loop_); }, command);
    }
    return !stopping;
  }

  TransferLoop loop_;  // of thread_, but for Wake()

  threads::Mutex mutex_;
  std::vector<Command> commands_ RR_GUARDED_BY(mutex_);
  bool stopping_ RR_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // last: it uses all the others
};

Client::Client(Listener* listener, TransferOptions options)
    : impl_(std::make_unique<Impl>(listener, std::move(options))) {}

Client::~Client() = default;

void Client::Send(Attempt attempt) { impl_->Post(SendCommand{std::move(attempt)}); }
void Client::Cancel(std::int64_t attempt_id) { impl_->Post(CancelCommand{attempt_id}); }
void Client::Pause(std::int64_t attempt_id) { impl_->Post(PauseCommand{attempt_id}); }
void Client::Resume(std::int64_t attempt_id) { impl_->Post(ResumeCommand{attempt_id}); }

}  // namespace requestrouter::upstream
