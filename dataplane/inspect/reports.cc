#include "dataplane/inspect/reports.h"

#include <string>

#include "dataplane/pipeline/drop_reason.h"

namespace corelane::inspect {
namespace {

using dataplane::DropReason;
using dataplane::kDropReasonCount;
using dataplane::Pipeline;

struct TcpCounter {
  const char* name;
  uint64_t tcp::Counters::*value;
  const char* text;
};

constexpr TcpCounter kTcpCounters[] = {
    {"segments_in", &tcp::Counters::segments_in, "segments received"},
    {"segments_out", &tcp::Counters::segments_out, "segments sent"},
    {"predicted_data", &tcp::Counters::predicted_data,
     "segments taken by header prediction: data"},
    {"predicted_acks", &tcp::Counters::predicted_acks,
     "segments taken by header prediction: ACKs"},
    {"acks_merged", &tcp::Counters::acks_merged,
     "ACKs left out, as the next one of the burst said more"},
    {"bytes_in", &tcp::Counters::bytes_in, "bytes delivered in order"},
    {"bytes_out", &tcp::Counters::bytes_out, "bytes sent for the first time"},
    {"active_opens", &tcp::Counters::active_opens, "connections we opened"},
    {"passive_opens", &tcp::Counters::passive_opens,
     "connections accepted by a listener"},
    {"failed_opens", &tcp::Counters::failed_opens,
     "connections that never came about"},
    {"resets_in", &tcp::Counters::resets_in, "RST received"},
    {"resets_out", &tcp::Counters::resets_out, "RST sent"},
    {"retransmits", &tcp::Counters::retransmits, "segments sent again"},
    {"fast_retransmits", &tcp::Counters::fast_retransmits,
     "of them after duplicate ACKs"},
    {"timeouts", &tcp::Counters::timeouts, "retransmission timer expirations"},
    {"spurious_timeouts", &tcp::Counters::spurious_timeouts,
     "of them too early, as F-RTO or timestamps showed"},
    {"undos", &tcp::Counters::undos,
     "reductions of a congestion window taken back"},
    {"tail_probes", &tcp::Counters::tail_probes, "tail loss probes sent"},
    {"dsacks_in", &tcp::Counters::dsacks_in,
     "duplicates of ours that peers reported"},
    {"ecn_reductions", &tcp::Counters::ecn_reductions,
     "reductions of a congestion window because of ECN"},
    {"ecn_marks_in", &tcp::Counters::ecn_marks_in,
     "segments received that had met congestion (ECN)"},
    {"paws_dropped", &tcp::Counters::paws_dropped,
     "segments with an old timestamp or without the one agreed on"},
    {"keepalive_probes", &tcp::Counters::keepalive_probes,
     "keep-alive probes sent"},
    {"window_probes", &tcp::Counters::window_probes,
     "probes of a closed window"},
    {"out_of_order", &tcp::Counters::out_of_order,
     "segments that came before their turn"},
    {"duplicate_data", &tcp::Counters::duplicate_data,
     "segments with data that was here already"},
    {"duplicate_acks", &tcp::Counters::duplicate_acks,
     "duplicate ACKs received"},
    {"unacceptable", &tcp::Counters::unacceptable,
     "segments outside of the window"},
    {"challenge_acks", &tcp::Counters::challenge_acks,
     "challenge ACKs sent (RFC 5961)"},
    {"delayed_acks", &tcp::Counters::delayed_acks, "ACKs that waited"},
    {"gave_up", &tcp::Counters::gave_up,
     "connections given up because the peer fell silent"},
    {"syn_cookies_sent", &tcp::Counters::syn_cookies_sent,
     "SYNs answered without a request record (RFC 4987)"},
    {"syn_cookies_accepted", &tcp::Counters::syn_cookies_accepted,
     "connections that came of them"},
    {"syn_cookies_failed", &tcp::Counters::syn_cookies_failed,
     "ACKs that were not of a cookie, or of one too old"},
};

struct Counter {
  const char* name;
  uint64_t dataplane::Counters::*value;
  const char* text;
};

constexpr Counter kCounters[] = {
#define X(name, text) {#name, &dataplane::Counters::name, text},
    CORELANE_COUNTERS(X)
#undef X
};

const char* StateText(arp::NeighborState state) {
  switch (state) {
    case arp::NeighborState::kFree:
      return "free";
    case arp::NeighborState::kIncomplete:
      return "incomplete";
    case arp::NeighborState::kReachable:
      return "reachable";
    case arp::NeighborState::kStale:
      return "stale";
    case arp::NeighborState::kDelay:
      return "delay";
    case arp::NeighborState::kProbe:
      return "probe";
    case arp::NeighborState::kFailed:
      return "failed";
    case arp::NeighborState::kPermanent:
      return "permanent";
  }
  return "?";
}

Json ResourcesReport(Pipeline& pipeline) {
  const dataplane::TcpLayer& tcp = pipeline.tcp();
  return {
      {"connections", tcp.blocks().in_use()},
      {"max_connections", tcp.blocks().capacity()},
      {"requests", tcp.requests().in_use()},
      {"max_requests", tcp.requests().capacity()},
      {"time_waits", tcp.time_waits().in_use()},
      {"max_time_waits", tcp.time_waits().capacity()},
      {"free_packets", pipeline.core().pool.available()},
      {"low_memory", pipeline.core().low_memory ? 1 : 0},
  };
}

struct Offload {
  const char* name;
  bool pmd::Offloads::*got;
};

// Those that the stack asks every device for.
constexpr Offload kOffloads[] = {
    {"rx_ipv4_checksum", &pmd::Offloads::rx_ipv4_checksum},
    {"rx_tcp_checksum", &pmd::Offloads::rx_tcp_checksum},
    {"rx_udp_checksum", &pmd::Offloads::rx_udp_checksum},
    {"tx_ipv4_checksum", &pmd::Offloads::tx_ipv4_checksum},
    {"tx_tcp_checksum", &pmd::Offloads::tx_tcp_checksum},
    {"tx_udp_checksum", &pmd::Offloads::tx_udp_checksum},
    {"tx_multi_segs", &pmd::Offloads::tx_multi_segs},
};

// Wanted ones by name: 1 where the device does it, 0 where software has to.
Json OffloadsReport(const pmd::Offloads& offloads) {
  Json report = Json::object();
  for (const Offload& o : kOffloads) report[o.name] = offloads.*o.got ? 1 : 0;
  return report;
}

}  // namespace

Json StatsReport(Pipeline& pipeline) {
  const dataplane::Counters& c = pipeline.core().counters;
  Json counters = Json::object();
  for (const Counter& counter : kCounters) {
    counters[counter.name] = c.*counter.value;
  }
  Json tcp = Json::object();
  for (const TcpCounter& counter : kTcpCounters) {
    tcp[counter.name] = c.tcp.*counter.value;
  }
  Json drops = Json::object();
  for (size_t i = 0; i < kDropReasonCount; ++i) {
    drops[DropReasonName(static_cast<DropReason>(i))] = c.drops[i];
  }
  return {{"counters", std::move(counters)},
          {"tcp", std::move(tcp)},
          {"drops", std::move(drops)},
          {"resources", ResourcesReport(pipeline)}};
}

Json PortReport(const pmd::Port& port, const std::string& spread,
                const std::string& vlans) {
  const pmd::PortCaps& caps = port.caps();
  const pmd::PortLink link = port.LinkStatus();
  const pmd::PortStats stats = port.Stats();
  return {
      {"port", caps.port_id},
      {"name", caps.name},
      {"label", caps.label},
      {"driver", caps.driver},
      {"mac", ToString(caps.mac)},
      {"link", link.up ? "up" : "down"},
      {"mbps", link.mbps},
      {"mtu", caps.mtu},
      {"max_mtu", caps.max_mtu},
      {"vlans", vlans},
      {"queues", caps.queues},
      {"spread", spread},
      {"rx_descriptors", caps.rx_descriptors},
      {"tx_descriptors", caps.tx_descriptors},
      {"rx_interrupt", caps.rx_interrupt ? 1 : 0},
      {"offloads", OffloadsReport(caps.offloads)},
      {"rx_packets", stats.rx_packets},
      {"rx_bytes", stats.rx_bytes},
      {"rx_missed", stats.rx_missed},
      {"rx_errors", stats.rx_errors},
      {"rx_no_packet", stats.rx_no_packet},
      {"tx_packets", stats.tx_packets},
      {"tx_bytes", stats.tx_bytes},
      {"tx_errors", stats.tx_errors},
  };
}

ListPage ReadNeighbors(Pipeline& pipeline, uint64_t from, size_t rows,
                       uint32_t scanned) {
  ListPage page;
  auto index = static_cast<uint32_t>(from);
  uint32_t seen = 0;
  for (uint64_t i = from >> 32; i < pipeline.interfaces().size(); ++i) {
    const arp::NeighborCache& cache =
        pipeline.arp().cache(static_cast<uint16_t>(i));
    for (; index < cache.capacity(); ++index) {
      if (page.rows.size() == rows || seen == scanned) {
        page.next = i << 32 | index;
        return page;
      }
      ++seen;
      const auto n = cache.At(index, pipeline.core().now);
      if (!n.has_value()) continue;
      page.rows.push_back({{"interface", pipeline.interfaces()[i].config.name},
                           {"address", ToString(n->address)},
                           {"mac", n->mac.IsZero() ? "" : ToString(n->mac)},
                           {"state", StateText(n->state)},
                           {"age_ms", n->age / 1ms}});
    }
    index = 0;
  }
  return page;
}

ListPage ReadRoutes(Pipeline& pipeline, uint64_t from, size_t rows) {
  ListPage page;
  const auto routes = pipeline.ip().routes().routes();
  for (uint64_t i = from; i < routes.size(); ++i) {
    if (page.rows.size() == rows) {
      page.next = i;
      return page;
    }
    const ipv4::RouteEntry& route = routes[i];
    page.rows.push_back(
        {{"destination", ToString(route.prefix)},
         {"gateway", ToString(route.gateway)},
         {"interface", pipeline.interfaces()[route.port].config.name},
         {"source", ToString(route.source)},
         {"mtu", route.mtu},
         {"dead", route.dead ? 1 : 0}});
  }
  return page;
}

const char* CounterText(const std::string& name) {
  for (const Counter& counter : kCounters) {
    if (name == counter.name) return counter.text;
  }
  for (const TcpCounter& counter : kTcpCounters) {
    if (name == counter.name) return counter.text;
  }
  for (size_t i = 0; i < kDropReasonCount; ++i) {
    const auto reason = static_cast<DropReason>(i);
    if (name == DropReasonName(reason)) return DropReasonText(reason);
  }
  return "";
}

}  // namespace corelane::inspect
