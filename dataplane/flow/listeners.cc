#include "dataplane/flow/listeners.h"

#include "absl/strings/str_cat.h"

namespace corelane::dataplane {

absl::StatusOr<uint32_t> Listeners::Add(const Listener& listener) {
  const uint64_t key = Key(listener.address, listener.port);
  if (by_key_.contains(key)) {
    return absl::AlreadyExistsError(
        absl::StrCat("something already listens on ",
                     ToString(listener.address), ":", listener.port));
  }
  uint32_t index = 0;
  while (index < all_.size() && all_[index].in_use) ++index;
  if (index == all_.size()) all_.emplace_back();
  all_[index] = listener;
  all_[index].in_use = true;
  by_key_[key] = index;
  return index;
}

void Listeners::Remove(uint32_t index) {
  Listener& listener = all_[index];
  by_key_.erase(Key(listener.address, listener.port));
  listener.in_use = false;
}

Listener* Listeners::Find(Ipv4Address address, uint16_t port, uint16_t device) {
  for (Ipv4Address a : {address, Ipv4Address()}) {
    const auto it = by_key_.find(Key(a, port));
    if (it == by_key_.end()) continue;
    Listener& listener = all_[it->second];
    if (listener.device == kAnyPort || listener.device == device) {
      return &listener;
    }
  }
  return nullptr;
}

}  // namespace corelane::dataplane
