#include "ipc/value.h"

namespace requestrouter::ipc {

void Dismantle(Value* value) {
  if (auto* map = value->get_ptr<Value::object_t*>()) {
    for (auto& [key, part] : *map) Dismantle(&part);
    map->clear();
  } else if (auto* array = value->get_ptr<Value::array_t*>()) {
    for (Value& part : *array) Dismantle(&part);
    array->clear();
  }
}

}  // namespace requestrouter::ipc
