#include "daemon/helper.h"

#include <pthread.h>

namespace requestrouter {

Helper::Helper(const char* name) : thread_([this] { Run(); }) {
  pthread_setname_np(thread_.native_handle(), name);
}

Helper::~Helper() {
  {
    const threads::Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Helper::Post(std::function<void()> task) {
  {
    const threads::Lock lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void Helper::Run() {
  for (;;) {
    std::function<void()> task;
    {
      threads::Lock lock(mutex_);
      lock.Wait(wake_, [this]() RR_REQUIRES(mutex_) { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace requestrouter
