#include "dataplane/flow/table_memory.h"

#include <sys/mman.h>

#include <new>

namespace corelane::dataplane {

void* MapTable(size_t bytes) {
  if (bytes == 0) bytes = 1;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  constexpr size_t kHugePage = size_t{2} << 20;
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

void UnmapTable(void* memory, size_t bytes) {
  munmap(memory, bytes == 0 ? 1 : bytes);
}

}  // namespace corelane::dataplane
