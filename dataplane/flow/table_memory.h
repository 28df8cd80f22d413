// Memory for the big tables: reserved once, backed by the host when touched.
#ifndef CORELANE_DATAPLANE_FLOW_TABLE_MEMORY_H_
#define CORELANE_DATAPLANE_FLOW_TABLE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace corelane::dataplane {

// Zero-filled pages, with transparent huge pages asked for. Never fails softly:
// std::bad_alloc at start, nothing later.
void* MapTable(size_t bytes);
void UnmapTable(void* memory, size_t bytes);

// A fixed array in such memory. Its elements start out as zero bytes.
template <typename T>
class TableMemory {
 public:
  static_assert(std::is_trivially_copyable_v<T>);

  explicit TableMemory(size_t count)
      : count_(count), data_(static_cast<T*>(MapTable(count * sizeof(T)))) {}
  ~TableMemory() { UnmapTable(data_, count_ * sizeof(T)); }
  TableMemory(const TableMemory&) = delete;
  TableMemory& operator=(const TableMemory&) = delete;

  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return count_; }
  T* data() { return data_; }
  const T* data() const { return data_; }

 private:
  size_t count_;
  T* data_;
};

}  // namespace corelane::dataplane

#endif  // CORELANE_DATAPLANE_FLOW_TABLE_MEMORY_H_
