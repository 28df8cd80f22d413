// Things that a person should read, such as an address conflict. Rare; the
// engine itself does not log.
#ifndef CORELANE_DATAPLANE_PIPELINE_NOTICE_H_
#define CORELANE_DATAPLANE_PIPELINE_NOTICE_H_

#include <string_view>

namespace corelane::dataplane {

struct NoticeSink {
  void* self = nullptr;
  void (*write)(void* self, std::string_view line) = nullptr;

  void operator()(std::string_view line) const {
    if (write != nullptr) write(self, line);
  }
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_PIPELINE_NOTICE_H_
