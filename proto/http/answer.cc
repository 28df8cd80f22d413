#include "proto/http/answer.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace corelane::http {
namespace {

std::string_view TextOf(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool SameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Whether all of `text` is a number.
bool ReadNumber(std::string_view text, int base, uint64_t& out) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc() && end == text.data() + text.size() &&
         !text.empty();
}

}  // namespace

void AnswerReader::Reset() {
  state_ = State::kReading;
  part_ = Part::kHead;
  status_ = 0;
  close_ = chunked_ = has_length_ = false;
  left_ = body_ = 0;
  text_.clear();
}

size_t AnswerReader::Feed(ByteView bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && state_ == State::kReading) {
    const ByteView rest = bytes.subspan(taken);
    switch (part_) {
      case Part::kHead:
        taken += FeedHead(rest);
        break;
      case Part::kChunkSize:
      case Part::kChunkEnd:
      case Part::kTrailer:
        taken += FeedLine(rest);
        break;
      case Part::kUntilClose:
        body_ += rest.size();
        taken += rest.size();
        break;
      case Part::kLength:
      case Part::kChunk: {
        const size_t n = std::min<uint64_t>(left_, rest.size());
        left_ -= n;
        body_ += n;
        taken += n;
        if (left_ > 0) break;
        if (part_ == Part::kLength) {
          state_ = State::kComplete;
        } else {
          part_ = Part::kChunkEnd;
        }
        break;
      }
    }
  }
  return taken;
}

void AnswerReader::End() {
  if (state_ != State::kReading) return;
  if (part_ == Part::kUntilClose) {
    state_ = State::kComplete;
  } else {
    Bad();
  }
}

size_t AnswerReader::FeedHead(ByteView bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  if (text_.empty()) {
    // Mostly it comes in one piece.
    const std::string_view text = TextOf(bytes);
    const size_t end = text.find(kEnd);
    if (end != std::string_view::npos) {
      ReadHead(text.substr(0, end + 2));
      return end + kEnd.size();
    }
  }
  const size_t before = text_.size();
  const size_t from = before < 3 ? 0 : before - 3;
  text_.append(TextOf(bytes));
  const size_t end = text_.find(kEnd, from);
  if (end == std::string::npos) {
    if (text_.size() > kMaxHead) Bad();
    return bytes.size();
  }
  const std::string head = text_.substr(0, end + 2);
  text_.clear();
  ReadHead(head);
  return end + kEnd.size() - before;
}

// `head` consists of lines that all end with CRLF.
void AnswerReader::ReadHead(std::string_view head) {
  size_t line_end = head.find("\r\n");
  const std::string_view first = head.substr(0, line_end);
  uint64_t status = 0;
  if (first.size() < 12 || first.substr(0, 7) != "HTTP/1." || first[8] != ' ' ||
      !ReadNumber(first.substr(9, 3), 10, status) || status < 100 ||
      (first.size() > 12 && first[12] != ' ')) {
    Bad();
    return;
  }
  close_ = first[7] == '0';
  chunked_ = has_length_ = false;
  for (head.remove_prefix(line_end + 2); !head.empty();
       head.remove_prefix(line_end + 2)) {
    line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      Bad();
      return;
    }
    ReadField(line.substr(0, colon), Trimmed(line.substr(colon + 1)));
    if (state_ == State::kBad) return;
  }
  if (status < 200) return;  // the final response follows
  status_ = static_cast<int>(status);
  if (status == 204 || status == 304) {
    state_ = State::kComplete;
  } else if (chunked_) {
    part_ = Part::kChunkSize;
  } else if (has_length_) {
    part_ = Part::kLength;
    if (left_ == 0) state_ = State::kComplete;
  } else {
    part_ = Part::kUntilClose;
    close_ = true;
  }
}

void AnswerReader::ReadField(std::string_view name, std::string_view value) {
  if (SameWord(name, "content-length")) {
    uint64_t length = 0;
    if (!ReadNumber(value, 10, length) || (has_length_ && length != left_)) {
      Bad();
      return;
    }
    left_ = length;
    has_length_ = true;
  } else if (SameWord(name, "transfer-encoding")) {
    if (SameWord(value, "chunked")) {
      chunked_ = true;
    } else {
      Bad();
    }
  } else if (SameWord(name, "connection")) {
    if (SameWord(value, "close")) close_ = true;
    if (SameWord(value, "keep-alive")) close_ = false;
  }
}

size_t AnswerReader::FeedLine(ByteView bytes) {
  const std::string_view text = TextOf(bytes);
  const size_t end = text.find('\n');
  const size_t n = end == std::string_view::npos ? text.size() : end + 1;
  text_.append(text.substr(0, n));
  if (text_.size() > kMaxHead) {
    Bad();
  } else if (end != std::string_view::npos) {
    ReadLine();
    text_.clear();
  }
  return n;
}

// RFC 9112 section 7.1.
void AnswerReader::ReadLine() {
  if (text_.size() < 2 || text_[text_.size() - 2] != '\r') {
    Bad();
    return;
  }
  const std::string_view line(text_.data(), text_.size() - 2);
  if (part_ == Part::kTrailer) {
    if (line.empty()) state_ = State::kComplete;
    return;
  }
  if (part_ == Part::kChunkEnd) {
    part_ = Part::kChunkSize;
    if (!line.empty()) Bad();
    return;
  }
  if (!ReadNumber(Trimmed(line.substr(0, line.find(';'))), 16, left_)) {
    Bad();
    return;
  }
  part_ = left_ == 0 ? Part::kTrailer : Part::kChunk;
}

}  // namespace corelane::http
