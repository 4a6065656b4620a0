#include "tests/bench/router/bare_committer.h"

#include <sys/eventfd.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace requestrouter::bench {
namespace {

void MoveTo(std::vector<BareTurn>* to, std::vector<BareTurn>* from) {
  if (to->empty()) return to->swap(*from);
  to->insert(to->end(), std::make_move_iterator(from->begin()),
             std::make_move_iterator(from->end()));
  from->clear();
}

}  // namespace

BareCommitter::BareCommitter(const std::string& directory)
    : store_(directory),
      event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Run(); }) {
  thread_.detach();
}

void BareCommitter::Submit(std::vector<BareTurn>* turns) {
  {
    const std::lock_guard lock(mutex_);
    MoveTo(&submitted_, turns);
  }
  wake_.notify_one();
}

std::vector<BareTurn> BareCommitter::TakeCommitted() {
  eventfd_t count = 0;
  if (eventfd_read(event_, &count) != 0) return {};
  const std::lock_guard lock(mutex_);
  return std::exchange(committed_, {});
}

void BareCommitter::Run() {
  std::vector<BareTurn> group;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return !submitted_.empty(); });
      group.swap(submitted_);
    }
    try {
      store_.Commit(group);
    } catch (const std::runtime_error& error) {
      std::cerr << "bare_loop: " << error.what() << "\n";
      std::_Exit(1);
    }
    {
      const std::lock_guard lock(mutex_);
      MoveTo(&committed_, &group);
    }
    group.clear();
    eventfd_write(event_, 1);
  }
}

}  // namespace requestrouter::bench
