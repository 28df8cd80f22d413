#include "proto/http/media_type.h"

#include <gtest/gtest.h>

namespace corelane::http {
namespace {

TEST(MediaTypeTest, ByExtension) {
  struct Case {
    const char* name;
    const char* type;
  };
  const Case kCases[] = {
      {"index.html", "text/html; charset=utf-8"},
      {"/a/b/INDEX.HTML", "text/html; charset=utf-8"},
      {"a.css", "text/css; charset=utf-8"},
      {"a.js", "text/javascript; charset=utf-8"},
      {"a.min.mjs", "text/javascript; charset=utf-8"},
      {"a.json", "application/json"},
      {"a.svg", "image/svg+xml"},
      {"a.png", "image/png"},
      {"a.jpg", "image/jpeg"},
      {"a.jpeg", "image/jpeg"},
      {"a.gif", "image/gif"},
      {"a.webp", "image/webp"},
      {"favicon.ico", "image/x-icon"},
      {"a.txt", "text/plain; charset=utf-8"},
      {"a.md", "text/markdown; charset=utf-8"},
      {"a.xml", "application/xml"},
      {"a.pdf", "application/pdf"},
      {"a.wasm", "application/wasm"},
      {"a.woff", "font/woff"},
      {"a.woff2", "font/woff2"},
      {"a.mp4", "video/mp4"},
      {"a.webm", "video/webm"},
      {"a.mp3", "audio/mpeg"},
      {"a.zip", "application/zip"},
      {"a.tar.gz", "application/gzip"},
      {"a.csv", "text/csv; charset=utf-8"},
      {"a.webmanifest", "application/manifest+json"},
      {"a.avif", "image/avif"},
  };
  for (const Case& c : kCases) EXPECT_EQ(MediaTypeOf(c.name), c.type) << c.name;
}

TEST(MediaTypeTest, UnknownIsAStreamOfOctets) {
  const char* const kNames[] = {
      "",        "a",        "a.",   ".",        "/",       "html",
      "a.html/", "x.html/y", "a.zz", "a.zzzzzz", "a.htmlx", "a.averylongone"};
  for (const char* name : kNames) {
    EXPECT_EQ(MediaTypeOf(name), "application/octet-stream") << name;
  }
}

}  // namespace
}  // namespace corelane::http
