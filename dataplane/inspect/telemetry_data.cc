#include "dataplane/inspect/telemetry_data.h"

#include <string>

namespace corelane::inspect {
namespace {

int AddObject(const Json& json, const char* name, rte_tel_data* out,
              std::vector<rte_tel_data*>& containers) {
  rte_tel_data* child = rte_tel_data_alloc();
  if (child == nullptr) return -1;
  containers.push_back(child);
  const int result = FillTelemetry(json, child, containers);
  if (result != 0) return result;
  return rte_tel_data_add_dict_container(out, name, child, /*keep=*/0);
}

}  // namespace

int FillTelemetry(const Json& json, rte_tel_data* out,
                  std::vector<rte_tel_data*>& containers) {
  int result = rte_tel_data_start_dict(out);
  for (const auto& [name, value] : json.items()) {
    if (result != 0) break;
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      result = rte_tel_data_add_dict_string(out, name.c_str(), text.c_str());
    } else if (value.is_object()) {
      result = AddObject(value, name.c_str(), out, containers);
    } else {
      result =
          rte_tel_data_add_dict_u64(out, name.c_str(), value.get<uint64_t>());
    }
  }
  return result;
}

}  // namespace corelane::inspect
