#include "dataplane/socket/epoll_set.h"

#include <algorithm>
#include <cerrno>

namespace corelane::socket {
namespace {

// Bits that say how to watch, not for what.
constexpr uint32_t kModes =
    EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE;
// What is reported whether it was asked for or not.
constexpr uint32_t kAlways = EPOLLERR | EPOLLHUP;

// What an entry is interested in; nothing once a one-shot has been reported.
uint32_t Wanted(const epoll_event& event) {
  const uint32_t asked = event.events & ~kModes;
  return asked == 0 && (event.events & EPOLLONESHOT) != 0 ? 0 : asked | kAlways;
}

}  // namespace

EpollSet::~EpollSet() {
  for (auto& [number, entry] : entries_) std::erase(entry.file->watchers, this);
}

void EpollSet::List(int number, Entry& entry) {
  if (entry.listed) return;
  entry.listed = true;
  ready_.push_back(number);
}

int EpollSet::Add(File& file, const epoll_event& event, ReadinessOf readiness) {
  // Sets within sets are not supported; Linux refuses loops of them.
  if (file.kind == Kind::kEpoll) return EINVAL;
  if (entries_.contains(file.fd)) return EEXIST;
  Entry& entry = entries_[file.fd];
  entry.file = &file;
  entry.event = event;
  file.watchers.push_back(this);
  if ((readiness(file) & Wanted(event)) != 0) List(file.fd, entry);
  return 0;
}

int EpollSet::Modify(File& file, const epoll_event& event,
                     ReadinessOf readiness) {
  const auto it = entries_.find(file.fd);
  if (it == entries_.end()) return ENOENT;
  it->second.event = event;
  if ((readiness(file) & Wanted(event)) != 0) List(file.fd, it->second);
  return 0;
}

int EpollSet::Delete(File& file) {
  if (!entries_.contains(file.fd)) return ENOENT;
  Remove(file.fd);
  std::erase(file.watchers, this);
  return 0;
}

void EpollSet::Remove(int number) {
  if (entries_[number].listed) ready_.remove(number);
  entries_.erase(number);
}

void EpollSet::Note(const File& file, uint32_t events) {
  const auto it = entries_.find(file.fd);
  if (it == entries_.end()) return;
  if ((Wanted(it->second.event) & events) != 0) List(file.fd, it->second);
}

int EpollSet::Collect(epoll_event* out, int room, ReadinessOf readiness) {
  int n = 0;
  // Each listed one at most once: those that stay ready go to the end.
  size_t left = ready_.size();
  while (n < room && left-- > 0) {
    const int number = ready_.front();
    ready_.pop_front();
    Entry& entry = entries_[number];
    entry.listed = false;
    const uint32_t now = readiness(*entry.file) & Wanted(entry.event);
    if (now == 0) continue;
    out[n].events = now;
    out[n].data = entry.event.data;
    ++n;
    if ((entry.event.events & EPOLLONESHOT) != 0) {
      entry.event.events &= kModes;
    } else if ((entry.event.events & EPOLLET) == 0) {
      List(number, entry);
    }
  }
  return n;
}

bool EpollSet::AnyReady(ReadinessOf readiness) const {
  return std::any_of(ready_.begin(), ready_.end(), [&](int number) {
    const Entry& entry = entries_.at(number);
    return (readiness(*entry.file) & Wanted(entry.event)) != 0;
  });
}

}  // namespace corelane::socket
