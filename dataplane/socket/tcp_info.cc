#include "dataplane/socket/tcp_info.h"

// Not <netinet/tcp.h>, whose tcp_info ends early, and which this contradicts.
#include <linux/tcp.h>

#include <algorithm>
#include <cstring>

#include "proto/tcp/bbr.h"
#include "proto/tcp/receive_tuning.h"
#include "proto/tcp/scaled_growth.h"
#include "proto/tcp/send_times.h"

namespace corelane::socket {
namespace {

static_assert(sizeof(tcp_info) <= kTcpInfoSize);
static_assert(offsetof(tcp_info, tcpi_snd_mss) == 16);
static_assert(offsetof(tcp_info, tcpi_rtt) == 68);
static_assert(offsetof(tcp_info, tcpi_pacing_rate) == 104);
static_assert(offsetof(tcp_info, tcpi_min_rtt) == 148);
static_assert(offsetof(tcp_info, tcpi_reord_seen) == 220);

// Linux's numbers of the states.
uint8_t LinuxState(tcp::State state) {
  switch (state) {
    case tcp::State::kEstablished:
      return 1;
    case tcp::State::kSynSent:
      return 2;
    case tcp::State::kSynReceived:
      return 3;
    case tcp::State::kFinWait1:
      return 4;
    case tcp::State::kFinWait2:
      return 5;
    case tcp::State::kTimeWait:
      return 6;
    case tcp::State::kClosed:
      return 7;
    case tcp::State::kCloseWait:
      return 8;
    case tcp::State::kLastAck:
      return 9;
    case tcp::State::kListen:
      return 10;
    case tcp::State::kClosing:
      return 11;
  }
  return 7;
}

TcpInfo Bytes(const tcp_info& info) {
  TcpInfo bytes{};
  std::memcpy(bytes.data(), &info, sizeof(info));
  return bytes;
}

uint32_t Segments(uint32_t bytes, uint32_t mss) {
  return (bytes + mss - 1) / mss;
}

uint32_t MillisSince(tcp::Tick then, tcp::Now now) {
  const uint32_t ticks = now.tick - then;
  return static_cast<uint32_t>((uint64_t{ticks} << tcp::kTickShift) /
                               1'000'000);
}

void FillOptions(const tcp::ControlBlock& cb, tcp_info& info) {
  if (cb.Has(tcp::kTimestamps)) info.tcpi_options |= TCPI_OPT_TIMESTAMPS;
  if (cb.Has(tcp::kSack)) info.tcpi_options |= TCPI_OPT_SACK;
  if (cb.Has(tcp::kWindowScaling)) {
    info.tcpi_options |= TCPI_OPT_WSCALE;
    info.tcpi_snd_wscale = cb.snd_wscale();
    info.tcpi_rcv_wscale = cb.rcv_wscale();
  }
  if (cb.Has(tcp::kEcn)) info.tcpi_options |= TCPI_OPT_ECN;
}

uint8_t LinuxPhase(tcp::SendPhase phase) {
  switch (phase) {
    case tcp::SendPhase::kOpen:
      return TCP_CA_Open;
    case tcp::SendPhase::kDisorder:
      return TCP_CA_Disorder;
    case tcp::SendPhase::kCwr:
      return TCP_CA_CWR;
    case tcp::SendPhase::kRecovery:
      return TCP_CA_Recovery;
    case tcp::SendPhase::kLoss:
      return TCP_CA_Loss;
  }
  return TCP_CA_Open;
}

// What the sender knows of what is under way. Runs are counted in segments.
void FillSendState(const tcp::SendState& tx, SeqNum una, uint32_t mss,
                   tcp_info& info) {
  info.tcpi_ca_state = LinuxPhase(tx.phase);
  info.tcpi_sacked = Segments(tx.sacked_bytes, mss);
  info.tcpi_lost = Segments(tx.lost_bytes, mss);
  SeqNum start = una;
  for (uint32_t i = 0; i < tx.range_count; ++i) {
    const tcp::SentRange& run = tx.ranges[i];
    if (run.retransmitted && run.fate == tcp::SentRange::Fate::kInFlight) {
      const uint32_t segments = Segments(run.end - start, mss);
      info.tcpi_retrans += segments;
      // What was lost stays so until it has arrived. A probe was not.
      const bool probe = tx.Has(tcp::kProbeOut) && tx.Has(tcp::kProbeResent) &&
                         run.end == tx.probe_end;
      if (!probe) info.tcpi_lost += segments;
    }
    start = run.end;
  }
  info.tcpi_min_rtt = tx.min_rtt_us != 0 ? tx.min_rtt_us : UINT32_MAX;
  info.tcpi_reordering = tx.reorder_degree;
  info.tcpi_reord_seen = tx.reorderings;
}

// Where no rate is known or none is kept to the fields stay 0.
void FillRates(const tcp::BbrState& bbr, tcp_info& info) {
  info.tcpi_pacing_rate = bbr.pacing_rate;
  info.tcpi_delivery_rate = bbr.last_rate;
  info.tcpi_delivery_rate_app_limited = bbr.last_rate_limited ? 1 : 0;
}

void FillSendTimes(const tcp::SendState& tx, tcp::Now now, tcp_info& info) {
  using Limit = tcp::SendLimit;
  info.tcpi_rwnd_limited = tcp::TimeWith(tx, Limit::kWindow, now);
  info.tcpi_sndbuf_limited = tcp::TimeWith(tx, Limit::kBuffer, now);
  info.tcpi_busy_time = tcp::TimeWith(tx, Limit::kNone, now) +
                        info.tcpi_rwnd_limited + info.tcpi_sndbuf_limited;
}

}  // namespace

TcpInfo ConnectionInfo(const tcp::ControlBlock& cb, const tcp::SendState* tx,
                       const tcp::Config& options, uint16_t own_mss,
                       tcp::Now now) {
  const uint32_t mss = std::max<uint32_t>(cb.mss, 1);
  tcp_info info{};
  info.tcpi_state = LinuxState(cb.state);
  info.tcpi_retransmits = cb.retransmits;
  FillOptions(cb, info);
  info.tcpi_rto = cb.rto_us;
  info.tcpi_ato = tcp::ToMicros(options.delayed_ack);
  info.tcpi_snd_mss = cb.mss;
  info.tcpi_rcv_mss = cb.rcv_mss != 0 ? cb.rcv_mss : 536;
  info.tcpi_advmss = own_mss;
  info.tcpi_unacked = Segments(cb.snd_nxt - cb.snd_una, mss);
  info.tcpi_total_retrans = cb.total_retransmits;
  info.tcpi_rtt = cb.srtt_us / 8;
  info.tcpi_min_rtt = UINT32_MAX;  // unless the sender knows one
  info.tcpi_rttvar = cb.rttvar_us / 4;
  // Linux's "infinite".
  constexpr uint32_t kNoThreshold = 0x7fffffff;
  info.tcpi_snd_ssthresh = cb.ssthresh == 0 || cb.ssthresh >= tcp::kMaxCwnd
                               ? kNoThreshold
                               : std::max(cb.ssthresh / mss, 2u);
  info.tcpi_snd_cwnd = cb.cwnd / mss;
  info.tcpi_reordering = 3;
  info.tcpi_rcv_space = tcp::ReceiveLimit(cb, options);
  info.tcpi_notsent_bytes =
      cb.snd_queued > cb.snd_nxt ? cb.snd_queued - cb.snd_nxt : 0;
  info.tcpi_last_data_sent = MillisSince(cb.una_since, now);
  info.tcpi_snd_wnd = cb.SendWindow();
  if (tx != nullptr) {
    FillSendState(*tx, cb.snd_una, mss, info);
    FillSendTimes(*tx, now, info);
    if (tx->bbr != nullptr) FillRates(*tx->bbr, info);
  }
  return Bytes(info);
}

CongestionInfo ControlInfo(const tcp::SendState* tx) {
  if (tx == nullptr || tx->bbr == nullptr) return {};
  const tcp::BbrState& bbr = *tx->bbr;
  // A fixed point of 8 bits.
  return {static_cast<uint32_t>(bbr.bw), static_cast<uint32_t>(bbr.bw >> 32),
          bbr.min_rtt_us, tcp::BbrPacingGain(bbr.phase) * 256 / 100,
          tcp::BbrCwndGain(bbr.phase) * 256 / 100};
}

void SetLastReceived(TcpInfo& info, Duration ago) {
  const auto ms = static_cast<uint32_t>(ago.count() / 1'000'000);
  std::memcpy(info.data() + offsetof(tcp_info, tcpi_last_data_recv), &ms,
              sizeof(ms));
}

TcpInfo ListenerInfo(uint32_t waiting, uint32_t backlog) {
  tcp_info info{};
  info.tcpi_state = LinuxState(tcp::State::kListen);
  info.tcpi_unacked = waiting;
  info.tcpi_sacked = backlog;
  return Bytes(info);
}

TcpInfo ClosedInfo() {
  tcp_info info{};
  info.tcpi_state = LinuxState(tcp::State::kClosed);
  return Bytes(info);
}

}  // namespace corelane::socket
