// A packet's headers, field by field, as textbooks draw them.
#ifndef CORELANE_DATAPLANE_INSPECT_DECODE_H_
#define CORELANE_DATAPLANE_INSPECT_DECODE_H_

#include <string>

#include "proto/base/bytes.h"

namespace corelane::inspect {

// One line per field: "  TCP   sequence number       305419896". What is cut
// off is said so; any bytes will do. Checksums are verified where all bytes
// that they cover are there.
std::string DecodeFrame(ByteView frame);

}  // namespace corelane::inspect

#endif  // CORELANE_DATAPLANE_INSPECT_DECODE_H_
