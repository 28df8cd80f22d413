#include "dataplane/cli/blast_plot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace corelane::cli {
namespace {

constexpr double kWidth = 920;
constexpr double kLeft = 92;
constexpr double kRight = 28;
constexpr double kHead = 84;    // title and subtitle
constexpr double kPanel = 250;  // height of a panel's plot
constexpr double kAbove = 34;   // for its heading
constexpr double kBelow = 52;   // for its ticks and its axis' name

// librsvg and browsers alike: plain classes, no variables.
constexpr char kStyle[] = R"(<style>
  text { font-family: system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; font-size: 12px; fill: #4a5160; }
  .bg { fill: #ffffff; }
  .title { font-size: 15px; font-weight: 600; fill: #1d2330; font-family: ui-monospace, 'DejaVu Sans Mono', monospace; }
  .head { font-size: 13px; font-weight: 600; fill: #1d2330; }
  .grid { stroke: #e3e6ec; stroke-width: 1; }
  .axis { stroke: #9aa2b1; stroke-width: 1; }
  .main { stroke: #1f6feb; stroke-width: 2; fill: none; stroke-linejoin: round; }
  .under { fill: #1f6feb; fill-opacity: 0.10; stroke: none; }
  .meant { stroke: #8a6d00; stroke-width: 1.5; fill: none; stroke-dasharray: 6 4; }
  .bad { stroke: #d1242f; stroke-width: 2; fill: none; stroke-linejoin: round; }
  .dot { fill: #1f6feb; }
  .mark { fill: #1d2330; font-weight: 600; }
  @media (prefers-color-scheme: dark) {
    text { fill: #a8b0be; }
    .bg { fill: #12161e; }
    .title, .head, .mark { fill: #e8ecf3; }
    .grid { stroke: #262d39; }
    .axis { stroke: #5b6576; }
    .main { stroke: #6cb0ff; }
    .under { fill: #6cb0ff; fill-opacity: 0.14; }
    .meant { stroke: #e3b341; }
    .bad { stroke: #ff7b72; }
    .dot { fill: #6cb0ff; }
  }
</style>
)";

std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Short(std::string text, size_t most) {
  if (text.size() > most) {
    text.resize(most - 3);
    text += "...";
  }
  return text;
}

// At most three lines, cut at blanks.
std::vector<std::string> Wrapped(const std::string& text) {
  constexpr size_t kMost = 94;  // characters of a line
  std::vector<std::string> lines;
  size_t at = 0;
  while (lines.size() < 2 && text.size() - at > kMost) {
    const size_t blank = text.rfind(' ', at + kMost);
    if (blank == std::string::npos || blank <= at) break;
    lines.push_back(text.substr(at, blank - at));
    at = blank + 1;
  }
  lines.push_back(Short(text.substr(at), kMost));
  return lines;
}

// "12", "3.4k", "1.25M".
std::string Count(double n) {
  const std::pair<double, const char*> units[] = {
      {1e9, "G"}, {1e6, "M"}, {1e3, "k"}};
  for (const auto& [size, unit] : units) {
    if (n >= size) return absl::StrFormat("%.4g%s", n / size, unit);
  }
  return absl::StrFormat("%.4g", n);
}

std::string TimeText(double ns) {
  const std::pair<double, const char*> units[] = {
      {1e9, "s"}, {1e6, "ms"}, {1e3, "us"}};
  for (const auto& [size, unit] : units) {
    if (ns >= size) return absl::StrFormat("%.3g %s", ns / size, unit);
  }
  return absl::StrFormat("%.3g ns", ns);
}

// The least of 1, 2 and 5 times a power of ten that cuts `range` into at most
// `most` pieces.
double Step(double range, int most) {
  double step = std::pow(10, std::floor(std::log10(range / most)));
  for (const double factor : {1, 2, 5, 10}) {
    if (range / (step * factor) <= most) return step * factor;
  }
  return step * 10;
}

class Picture {
 public:
  explicit Picture(double height) {
    svg_ = absl::StrFormat(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" "
        "height=\"%g\" viewBox=\"0 0 %g %g\" role=\"img\">\n",
        kWidth, height, kWidth, height);
    svg_ += kStyle;
    absl::StrAppendFormat(&svg_,
                          "<rect class=\"bg\" width=\"%g\" height=\"%g\"/>\n",
                          kWidth, height);
  }
  void Text(double x, double y, const char* anchor, const std::string& text,
            const char* look = "") {
    absl::StrAppendFormat(&svg_,
                          "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" "
                          "class=\"%s\">%s</text>\n",
                          x, y, anchor, look, Escaped(text));
  }
  void Line(double x1, double y1, double x2, double y2, const char* look) {
    absl::StrAppendFormat(
        &svg_,
        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
        "class=\"%s\"/>\n",
        x1, y1, x2, y2, look);
  }
  void Path(const std::vector<std::pair<double, double>>& points,
            const char* look) {
    std::string d;
    for (const auto& [x, y] : points) {
      absl::StrAppendFormat(&d, "%s%.1f %.1f", d.empty() ? "M" : " L", x, y);
    }
    absl::StrAppendFormat(&svg_, "<path d=\"%s\" class=\"%s\"/>\n", d, look);
  }
  void Dot(double x, double y) {
    absl::StrAppendFormat(
        &svg_, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" class=\"dot\"/>\n", x,
        y);
  }
  // Turned by a quarter, beside an axis.
  void Upright(double x, double y, const std::string& text) {
    absl::StrAppendFormat(
        &svg_,
        "<text transform=\"translate(%.1f %.1f) rotate(-90)\" "
        "text-anchor=\"middle\">%s</text>\n",
        x, y, Escaped(text));
  }
  std::string Done() && { return std::move(svg_) + "</svg>\n"; }

 private:
  std::string svg_;
};

// Where a panel's plot is, and its two axes: from [0, 1] to the picture.
struct Panel {
  double top;
  double X(double share) const {
    return kLeft + share * (kWidth - kLeft - kRight);
  }
  double Y(double share) const { return top + kPanel * (1 - share); }

  void Frame(Picture& p, const std::string& heading, const std::string& across,
             const std::string& up) const {
    p.Text(kLeft, top - 14, "start", heading, "head");
    p.Line(X(0), Y(0), X(1), Y(0), "axis");
    p.Text((X(0) + X(1)) / 2, Y(0) + 42, "middle", across);
    p.Upright(22, (Y(0) + Y(1)) / 2, up);
  }
  void TickUp(Picture& p, double share, const std::string& text) const {
    p.Line(X(0), Y(share), X(1), Y(share), "grid");
    p.Text(X(0) - 8, Y(share) + 4, "end", text);
  }
  void TickAcross(Picture& p, double share, const std::string& text) const {
    p.Line(X(share), Y(0), X(share), Y(1), "grid");
    p.Text(X(share), Y(0) + 20, "middle", text);
  }
};

// Latency over the percentile, each further nine as wide as the one before.
void DrawLatency(Picture& p, const Panel& panel,
                 const dataplane::Histogram& latency, const std::string& what) {
  const double nines =
      std::max(1.0, std::log10(static_cast<double>(latency.count())));
  auto at = [&](double x) {  // x in nines
    const auto d = latency.At(1 - std::pow(10, -x));
    return std::max<double>(1, static_cast<double>(d.count()));
  };
  const double low = at(0);
  const double high =
      std::max<double>(static_cast<double>(latency.max().count()), low);
  // Room below and above, and at least the factor of two between.
  const double from = std::log10(low / 1.15);
  const double to = std::max(std::log10(high * 1.15), from + std::log10(2));
  auto y = [&](double ns) { return (std::log10(ns) - from) / (to - from); };
  const bool wide = to - from > 4;
  for (double ten = std::floor(from); ten <= to; ++ten) {
    for (const double factor : {1, 2, 5}) {
      if (wide && factor != 1) continue;
      const double ns = factor * std::pow(10, ten);
      if (y(ns) >= 0 && y(ns) <= 1) panel.TickUp(p, y(ns), TimeText(ns));
    }
  }
  for (int n = 0; n <= nines + 1e-9; ++n) {
    const double percent = 100 - 100 * std::pow(10, -n);
    panel.TickAcross(p, n / nines, absl::StrFormat("%.10g %%", percent));
  }
  panel.Frame(p, what + " by percentile", "percentile (log scale)",
              absl::AsciiStrToLower(what) + " (log scale)");
  std::vector<std::pair<double, double>> line;
  constexpr int kSteps = 400;
  for (int i = 0; i <= kSteps; ++i) {
    const double share = static_cast<double>(i) / kSteps;
    const double ns = i == kSteps ? high : at(share * nines);
    line.emplace_back(panel.X(share), panel.Y(y(ns)));
  }
  p.Path(line, "main");
  // Those that everybody asks for, with their values: the line only rises, so
  // that there is room below it to the right, and above it to the left.
  const std::pair<double, const char*> named[] = {
      {std::log10(2), "p50"}, {1, "p90"}, {2, "p99"}, {3, "p99.9"}};
  for (const auto& [x, name] : named) {
    if (x > nines) continue;
    const double ns = at(x);
    p.Dot(panel.X(x / nines), panel.Y(y(ns)));
    const std::string text = absl::StrCat(name, " ", TimeText(ns));
    if (panel.X(x / nines) + 110 < panel.X(1)) {
      p.Text(panel.X(x / nines) + 6,
             std::min(panel.Y(y(ns)) + 17, panel.Y(0) - 6), "start", text,
             "mark");
    } else {
      p.Text(panel.X(x / nines) - 6,
             std::max(panel.Y(y(ns)) - 9, panel.Y(1) - 2), "end", text, "mark");
    }
  }
}

void DrawRate(Picture& p, const Panel& panel, const PlotData& data) {
  double most = 1;
  bool meant = false;
  bool bad = false;
  for (const PlotPoint& point : data.points) {
    most = std::max({most, point.got, point.meant});
    meant = meant || point.meant > 0;
    bad = bad || point.errors > 0;
  }
  most *= 1.08;
  const double end = data.points.back().seconds;
  const double up = Step(most, 6);
  for (double v = 0; v <= most; v += up) panel.TickUp(p, v / most, Count(v));
  const double across = Step(end, 12);
  for (double s = 0; s <= end * (1 + 1e-9); s += across) {
    panel.TickAcross(p, s / end, absl::StrFormat("%g", s));
  }
  panel.Frame(p, "Rate over time", "seconds", data.unit);
  auto line = [&](double PlotPoint::*value) {
    std::vector<std::pair<double, double>> points;
    double from = 0;
    for (const PlotPoint& point : data.points) {  // each is a mean
      // What was never sent fails at the end, all at once.
      const double y = panel.Y(std::min(point.*value / most, 1.0));
      points.emplace_back(panel.X(from / end), y);
      points.emplace_back(panel.X(point.seconds / end), y);
      from = point.seconds;
    }
    return points;
  };
  auto area = line(&PlotPoint::got);
  const auto got = area;
  area.emplace_back(area.back().first, panel.Y(0));
  area.emplace_back(area.front().first, panel.Y(0));
  p.Path(area, "under");
  p.Path(got, "main");
  if (meant) p.Path(line(&PlotPoint::meant), "meant");
  if (bad) p.Path(line(&PlotPoint::errors), "bad");
  // What the lines are.
  double x = panel.X(1);
  auto key = [&](const std::string& text, const char* look) {
    p.Text(x, panel.top - 14, "end", text);
    x -= 7.0 * static_cast<double>(text.size()) + 8;
    p.Line(x - 26, panel.top - 18, x, panel.top - 18, look);
    x -= 44;
  };
  if (bad) key("failures", "bad");
  if (meant) key("due", "meant");
  if (bad || meant) key(data.unit, "main");
}

}  // namespace

std::string PlotSvg(const PlotData& data) {
  const bool latency = data.latency != nullptr && data.latency->count() > 0;
  const bool rate = !data.points.empty() && data.points.back().seconds > 0;
  const double each = kAbove + kPanel + kBelow;
  const std::vector<std::string> title = Wrapped(data.title);
  const double more = 20 * static_cast<double>(title.size() - 1);
  Picture p(kHead + more + each * (latency + rate) + 8);
  double y = 36;
  for (const std::string& line : title) {
    p.Text(24, y, "start", line, "title");
    y += 20;
  }
  p.Text(24, y + 4, "start", Short(data.subtitle, 130));
  double top = kHead + more + kAbove;
  if (latency) {
    DrawLatency(p, {top}, *data.latency, data.latency_name);
    top += each;
  }
  if (rate) DrawRate(p, {top}, data);
  return std::move(p).Done();
}

}  // namespace corelane::cli
