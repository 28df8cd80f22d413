#include "pmd/packet_mempool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <algorithm>
#include <cerrno>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace corelane::pmd {
namespace {

// Per EAL thread, in the mempool.
constexpr uint32_t kCache = 256;

uint32_t ElementSize(const PacketMempoolOptions& options) {
  return static_cast<uint32_t>(sizeof(rte_mbuf)) + options.private_size +
         options.data_room;
}

absl::Status CheckOptions(const PacketMempoolOptions& options) {
  if (options.private_size % RTE_MBUF_PRIV_ALIGN != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a packet's private area has ", options.private_size,
                     " bytes; make it a multiple of ", RTE_MBUF_PRIV_ALIGN));
  }
  if (options.data_room <= RTE_PKTMBUF_HEADROOM) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a packet's data room of ", options.data_room,
        " bytes has no room after its headroom of ", RTE_PKTMBUF_HEADROOM));
  }
  if (options.packets < 32) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a pool of ", options.packets,
        " packets is too small to poll a device; make it at least 32"));
  }
  return absl::OkStatus();
}

}  // namespace

uint64_t PacketMempool::BytesNeeded(const PacketMempoolOptions& options) {
  rte_mempool_objsz size = {};
  const uint64_t element =
      rte_mempool_calc_obj_size(ElementSize(options), 0, &size);
  // The ring of free packets holds a pointer each and is a power of two long.
  const uint64_t ring = uint64_t{rte_align64pow2(options.packets + 1)} * 8;
  return options.packets * element + ring;
}

absl::StatusOr<PacketMempool> PacketMempool::Create(
    const PacketMempoolOptions& options) {
  if (absl::Status s = CheckOptions(options); !s.ok()) return s;
  // The cache may hold back 1.5 times its size, which a small pool cannot
  // spare.
  const uint32_t cache = options.packets >= 4 * kCache ? kCache : 0;
  const int node = options.numa_node < 0 ? SOCKET_ID_ANY : options.numa_node;
  rte_mempool* pool =
      rte_pktmbuf_pool_create(options.name.c_str(), options.packets, cache,
                              options.private_size, options.data_room, node);
  if (pool != nullptr) return PacketMempool(pool);
  if (rte_errno == EEXIST) {
    return absl::AlreadyExistsError(absl::StrCat(
        "a packet pool named '", options.name, "' exists already"));
  }
  if (rte_errno == ENAMETOOLONG) {
    return absl::InvalidArgumentError(
        absl::StrCat("the packet pool's name '", options.name,
                     "' is too long; at most 25 characters"));
  }
  const uint64_t mib = (BytesNeeded(options) >> 20) + 1;
  return absl::ResourceExhaustedError(
      absl::StrCat("no memory for ", options.packets, " packets, which take ",
                   mib, " MiB (", rte_strerror(rte_errno),
                   "); give more with --memory MiB, or ask for fewer packets"));
}

PacketMempool::~PacketMempool() { rte_mempool_free(pool_); }

uint32_t PacketMempool::Take(rte_mbuf** out, uint32_t n) {
  // Raw: in the pool all are unchained and have one reference; the rest is
  // PacketPool::Alloc's to set, once.
  if (rte_mempool_get_bulk(pool_, reinterpret_cast<void**>(out), n) == 0) {
    return n;
  }
  // A bulk is all or nothing, and the last packets must be usable too.
  uint32_t taken = 0;
  while (taken < n &&
         rte_mempool_get(pool_, reinterpret_cast<void**>(&out[taken])) == 0) {
    ++taken;
  }
  return taken;
}

void PacketMempool::Give(rte_mbuf** packets, uint32_t n) {
  // Looks at each packet's own pool and lets go of external bytes.
  if (n > 0) rte_pktmbuf_free_bulk(packets, n);
}

uint32_t PacketMempool::Available() const {
  return rte_mempool_avail_count(pool_);
}

uint32_t PacketMempool::Capacity() const { return pool_->size; }

}  // namespace corelane::pmd
