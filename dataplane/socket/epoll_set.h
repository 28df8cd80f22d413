// What an epoll descriptor watches, and what of it may be ready.
#ifndef CORELANE_DATAPLANE_SOCKET_EPOLL_SET_H_
#define CORELANE_DATAPLANE_SOCKET_EPOLL_SET_H_

#include <sys/epoll.h>

#include <cstdint>
#include <list>
#include <unordered_map>

#include "dataplane/socket/file.h"

namespace corelane::socket {

// Asks what a file is ready for now, as EPOLL* bits.
using ReadinessOf = uint32_t (*)(const File& file);

class EpollSet : public File {
 public:
  EpollSet() : File(Kind::kEpoll) {}
  ~EpollSet() override;

  // epoll_ctl; 0 or an errno.
  int Add(File& file, const epoll_event& event, ReadinessOf readiness);
  int Modify(File& file, const epoll_event& event, ReadinessOf readiness);
  int Delete(File& file);

  // Something happened to a watched file: `events`, or ~0u for "anything".
  void Note(const File& file, uint32_t events);

  // Stores what is ready, at most `room`; returns how many. Edge-triggered and
  // one-shot entries are reported once.
  int Collect(epoll_event* out, int room, ReadinessOf readiness);
  bool AnyReady(ReadinessOf readiness) const;

 private:
  struct Entry {
    File* file;
    epoll_event event;
    bool listed = false;  // in ready_
  };

  void List(int number, Entry& entry);
  void Remove(int number);

  // Both by descriptor.
  std::unordered_map<int, Entry> entries_;
  std::list<int> ready_;  // those that are to be looked at
};

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_EPOLL_SET_H_
