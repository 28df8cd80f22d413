#include "dataplane/cli/replay_file.h"

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dataplane/inspect/pcapng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace corelane::cli {
namespace {

using Bytes = std::vector<uint8_t>;
using testing::HasSubstr;
using testing::StartsWith;

constexpr uint32_t kMicro = 0xa1b2c3d4;
constexpr uint32_t kNano = 0xa1b23c4d;
constexpr uint32_t kEthernet = 1;
constexpr uint32_t kRawIp = 101;

// A capture that a test writes as it likes.
class CaptureText {
 public:
  explicit CaptureText(uint32_t magic = kMicro, uint32_t link = kEthernet,
                       bool swapped = false)
      : swapped_(swapped) {
    Put(magic);
    PutShort(2);
    PutShort(4);
    Put(0);
    Put(0);
    Put(262144);
    Put(link);
  }
  // `part`: microseconds or nanoseconds; `length` 0: all of it was captured.
  CaptureText& Frame(uint32_t second, uint32_t part, const Bytes& bytes,
                     uint32_t length = 0) {
    Put(second);
    Put(part);
    Put(static_cast<uint32_t>(bytes.size()));
    Put(length == 0 ? static_cast<uint32_t>(bytes.size()) : length);
    text_.append(bytes.begin(), bytes.end());
    return *this;
  }
  const std::string& text() const { return text_; }
  std::string Without(size_t last) const {
    return text_.substr(0, text_.size() - last);
  }

 private:
  void Put(uint32_t n) {
    if (swapped_) n = __builtin_bswap32(n);
    text_.append(reinterpret_cast<const char*>(&n), sizeof(n));
  }
  void PutShort(uint16_t n) {
    if (swapped_) n = __builtin_bswap16(n);
    text_.append(reinterpret_cast<const char*>(&n), sizeof(n));
  }

  bool swapped_;
  std::string text_;
};

Bytes FrameOf(size_t length, uint8_t mark, uint16_t type = 0x0800) {
  Bytes bytes(length, mark);
  if (length >= 14) StoreBe16(bytes.data() + 12, type);
  return bytes;
}

class ReplayFileTest : public ::testing::Test {
 protected:
  ~ReplayFileTest() override { unlink(path_.c_str()); }

  absl::StatusOr<ReplayFile> Read(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return ReadReplayFile(path_, options_);
  }
  void ExpectRefused(const std::string& text, const std::string& says) {
    const auto file = Read(text);
    ASSERT_FALSE(file.ok()) << says;
    const std::string message(file.status().message());
    EXPECT_THAT(message, StartsWith(path_ + ": "));
    EXPECT_THAT(message, HasSubstr(says));
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }

  std::string path_ =
      absl::StrCat(testing::TempDir(), "/replay_file_test.", getpid());
  ReplayFileOptions options_;
};

TEST_F(ReplayFileTest, MicroAndNanoseconds) {
  for (const bool swapped : {false, true}) {
    for (const bool nano : {false, true}) {
      const auto file =
          Read(CaptureText(nano ? kNano : kMicro, kEthernet, swapped)
                   .Frame(1000, 999'999, FrameOf(60, 1))
                   .Frame(1001, 5, FrameOf(1514, 2))
                   .text());
      ASSERT_TRUE(file.ok()) << file.status();
      ASSERT_EQ(file->tape->size(), 2u);
      const dataplane::FrameTape& tape = *file->tape;
      EXPECT_EQ(tape[1].at, nano ? 1s - 999'994ns : 6us);
      EXPECT_EQ(Bytes(tape[1].data, tape[1].data + tape[1].length),
                FrameOf(1514, 2));
      EXPECT_FALSE(file->cut_off);
      EXPECT_EQ(file->left_out(), 0u);
    }
  }
}

TEST_F(ReplayFileTest, WhatCorelaneCaptureWrites) {
  const std::vector<std::string> names = {"tap", "memif"};
  std::string text = inspect::PcapngHead(names);
  for (uint16_t i = 0; i < 3; ++i) {
    runtime::CapturedPacket packet;
    packet.bytes = FrameOf(100, static_cast<uint8_t>(i));
    packet.record.port = i % 2;
    packet.record.length = 100;
    packet.record.captured = 100;
    packet.record.unix_ns = 1'700'000'000'000'000'001 + i * 7ull;
    text += inspect::PcapngPacket(packet);
  }
  auto file = Read(text);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->tape->size(), 3u);
  EXPECT_EQ((*file->tape)[2].at, 14ns);
  text.resize(text.size() - 10);
  file = Read(text);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tape->size(), 2u);
  EXPECT_TRUE(file->cut_off);
}

TEST_F(ReplayFileTest, WhatIsWholeOfAFileThatIsCutOff) {
  CaptureText capture;
  capture.Frame(1, 0, FrameOf(60, 1)).Frame(2, 0, FrameOf(60, 2));
  // In the bytes of a frame, and in what stands before them.
  for (const size_t missing : {1, 59, 60, 75}) {
    const auto file = Read(capture.Without(missing));
    ASSERT_TRUE(file.ok()) << missing << file.status();
    EXPECT_EQ(file->tape->size(), 1u) << missing;
    EXPECT_TRUE(file->cut_off) << missing;
  }
  ExpectRefused(capture.Without(77), "it is cut off in its first frame");
  ExpectRefused(capture.text().substr(0, 20), "it is cut off in its head");
  ExpectRefused(capture.text().substr(0, 2), "it is cut off in its head");
}

TEST_F(ReplayFileTest, NoCapture) {
  ExpectRefused("", "it is empty");
  ExpectRefused("This is a text, not a capture.", "it is no capture");
  ExpectRefused(CaptureText().text(), "it has no frames");
  ExpectRefused(CaptureText(kMicro, kRawIp).Frame(1, 0, Bytes(40)).text(),
                "its link type is RAW");
  std::string damaged = CaptureText()
                            .Frame(1, 0, FrameOf(60, 1))
                            .Frame(2, 0, FrameOf(60, 2))
                            .text();
  damaged.replace(24 + 76 + 8, 4, "\xff\xff\xff\xff");
  ExpectRefused(damaged, "frame 2 is damaged");
  unlink(path_.c_str());
  EXPECT_EQ(ReadReplayFile(path_, options_).status().message(),
            path_ + ": No such file or directory");
  EXPECT_EQ(ReadReplayFile("/", options_).status().message(),
            "/: Is a directory");
}

TEST_F(ReplayFileTest, FramesThatCannotBeSentAsTheyWere) {
  const std::string cut = CaptureText()
                              .Frame(1, 0, FrameOf(60, 1))
                              .Frame(2, 0, FrameOf(96, 2), 1514)
                              .text();
  const std::string too_long = CaptureText()
                                   .Frame(1, 0, FrameOf(1514, 1))
                                   .Frame(1, 0, FrameOf(1518, 1, 0x8100))
                                   .Frame(2, 0, FrameOf(1515, 2))
                                   .Frame(3, 0, FrameOf(2962, 3))
                                   .text();
  const std::string too_short = CaptureText()
                                    .Frame(1, 0, FrameOf(14, 1))
                                    .Frame(2, 0, FrameOf(13, 2))
                                    .text();
  ExpectRefused(cut,
                "1 frame is not captured in full, first number 2, 96 of "
                "1514 bytes");
  ExpectRefused(too_long,
                "2 frames are too long for an MTU of 1500, first "
                "number 3, 1515 bytes");
  ExpectRefused(too_short, "1 frame is shorter than an Ethernet header");
  options_.mtu = 9000;
  EXPECT_EQ((*Read(too_long)).tape->size(), 4u);
  options_.mtu = 1500;
  options_.skip_unfit = true;
  EXPECT_EQ((*Read(cut)).cut, 1u);
  EXPECT_EQ((*Read(too_long)).too_long, 2u);
  EXPECT_EQ((*Read(too_long)).tape->size(), 2u);
  EXPECT_EQ((*Read(too_short)).too_short, 1u);
  EXPECT_EQ((*Read(too_short)).tape->padded(), 1u);
  ExpectRefused(CaptureText().Frame(1, 0, FrameOf(96, 2), 1514).text(),
                "can be sent as it was: 1 not captured in full");
}

TEST_F(ReplayFileTest, NoMoreMemoryThanAllowed) {
  CaptureText capture;
  for (uint32_t i = 0; i < 2000; ++i) capture.Frame(i, 0, FrameOf(1514, 1));
  options_.memory = 2u << 20;
  ExpectRefused(capture.text(), "its frames take more than 2 MiB of memory");
  options_.memory = 4u << 20;
  EXPECT_TRUE(Read(capture.text()).ok());
}

TEST_F(ReplayFileTest, StrangeTimes) {
  const auto file = Read(CaptureText()
                             .Frame(5, 0, FrameOf(60, 1))
                             .Frame(0x7fffffff, 0, FrameOf(60, 2))
                             .Frame(4, 0xffffffff, FrameOf(60, 3))
                             .text());
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file->tape)[1].at, Duration(1'000'000'000s));
  EXPECT_EQ(file->tape->backwards(), 1u);
}

}  // namespace
}  // namespace corelane::cli
