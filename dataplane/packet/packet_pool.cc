#include "dataplane/packet/packet_pool.h"

namespace corelane::dataplane {

bool PacketPool::Refill() {
  depth_ += backend_.take(backend_.self, stack_.data() + depth_, kBulk);
  return depth_ != 0;
}

void PacketPool::Spill() {
  depth_ -= kBulk;
  backend_.give(backend_.self, stack_.data() + depth_, kBulk);
}

void AttachExternal(Packet* p, ByteView bytes, uint64_t iova,
                    rte_mbuf_ext_shared_info* owner) {
  p->buf_addr = const_cast<uint8_t*>(bytes.data());
  p->buf_iova = iova;
  p->buf_len = static_cast<uint16_t>(bytes.size());
  p->data_off = 0;
  p->data_len = static_cast<uint16_t>(bytes.size());
  p->pkt_len = static_cast<uint32_t>(bytes.size());
  p->ol_flags = RTE_MBUF_F_EXTERNAL;
  p->shinfo = owner;
  ++owner->refcnt;
}

}  // namespace corelane::dataplane
