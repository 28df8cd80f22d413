// Who runs the stack while a call waits.
#ifndef CORELANE_DATAPLANE_SOCKET_DRIVER_H_
#define CORELANE_DATAPLANE_SOCKET_DRIVER_H_

#include "proto/base/time.h"

namespace corelane::socket {

// A call that has to wait asks its driver for turns of the loop until what it
// waits for has happened. The driver owns devices and clock: it polls, or
// sleeps, or hands the turn to another thread and waits for that.
class Driver {
 public:
  virtual ~Driver() = default;

  // Runs at least one turn of the loop; may first wait for something to happen,
  // but not past `until`. False if waiting is impossible or was interrupted:
  // the call then fails with EINTR.
  virtual bool Turn(Time until) = 0;
};

}  // namespace corelane::socket

#endif  // CORELANE_DATAPLANE_SOCKET_DRIVER_H_
