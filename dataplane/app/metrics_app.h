// GET /metrics, for Prometheus: a text that a control thread keeps up to date.
#ifndef CORELANE_DATAPLANE_APP_METRICS_APP_H_
#define CORELANE_DATAPLANE_APP_METRICS_APP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "dataplane/api/application.h"
#include "proto/base/time.h"

namespace corelane::dataplane {

// Where one thread leaves the latest text and cores pick it up. The lock is
// taken once a second and once a scrape, for as long as copying a pointer
// takes.
class MetricsPage {
 public:
  struct Text {
    std::string body;
    int64_t unix_seconds = 0;  // when it was made
  };

  void Publish(Text text) {
    auto made = std::make_shared<const Text>(std::move(text));
    const std::lock_guard lock(mutex_);
    latest_.swap(made);
  }
  // nullptr before the first.
  std::shared_ptr<const Text> Latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Text> latest_;
};

// One request per connection. A head has 4 KiB and a request ten seconds; a
// reader that takes nothing for ten seconds is cut off.
class MetricsApp final : public Application {
 public:
  // Connections that may be answered at once; others get 503.
  static constexpr size_t kMostReplies = 32;

  // `page` outlives the application.
  explicit MetricsApp(const MetricsPage* page) : page_(*page) {}

  void OnConnections(std::span<ReadyConnection> ready, Time now) override;

  size_t replies_in_progress() const { return replies_.size(); }

 private:
  struct Reply {
    std::string text;
    size_t sent = 0;
  };

  void Run(Connection connection, uint8_t events);
  void Read(Connection connection);
  void Begin(Connection connection, std::string text);
  void Continue(Connection connection, Reply& reply);
  void Refuse(Connection connection, int status);
  std::string Answer(bool head_only) const;

  const MetricsPage& page_;
  absl::flat_hash_map<uint32_t, Reply> replies_;  // by connection
  std::array<uint8_t, 4096> head_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_APP_METRICS_APP_H_
