#include "pipeline/run/cores.h"

#include <hwloc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <type_traits>

namespace chainrule::pipeline::run {
namespace {

struct Destroy {
  void operator()(hwloc_topology_t topology) const noexcept { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<std::remove_pointer_t<hwloc_topology_t>, Destroy>;

struct Free {
  void operator()(hwloc_bitmap_t bitmap) const noexcept { hwloc_bitmap_free(bitmap); }
};
using Bitmap = std::unique_ptr<std::remove_pointer_t<hwloc_bitmap_t>, Free>;

Topology load_topology() {
  hwloc_topology_t made = nullptr;
  if (hwloc_topology_init(&made) != 0) throw std::runtime_error("hwloc cannot look at this host's processors");
  Topology topology(made);
  // Caches, devices and the like take time to find.
  hwloc_topology_set_all_types_filter(made, HWLOC_TYPE_FILTER_KEEP_NONE);
  hwloc_topology_set_type_filter(made, HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL);
  if (hwloc_topology_load(made) != 0) throw std::runtime_error("hwloc cannot look at this host's processors");
  return topology;
}

std::string list_of(hwloc_const_bitmap_t bitmap) {
  char* text = nullptr;
  if (hwloc_bitmap_list_asprintf(&text, bitmap) < 0) throw std::bad_alloc();
  const std::unique_ptr<char, decltype(&std::free)> owner(text, &std::free);
  return text;
}

}  // namespace

Cores cores_of_this_process() {
  const Topology topology = load_topology();
  const hwloc_const_cpuset_t host = hwloc_topology_get_topology_cpuset(topology.get());
  const Bitmap mine(hwloc_bitmap_alloc());
  if (!mine) throw std::bad_alloc();
  if (hwloc_get_cpubind(topology.get(), mine.get(), HWLOC_CPUBIND_THREAD) != 0) hwloc_bitmap_copy(mine.get(), host);

  Cores found;
  found.hardware_threads = std::max(1, hwloc_bitmap_weight(mine.get()));
  found.host_hardware_threads = std::max(found.hardware_threads, hwloc_bitmap_weight(host));
  found.which = list_of(mine.get());
  found.cores = 0;
  for (hwloc_obj_t core = nullptr;
       (core = hwloc_get_next_obj_by_type(topology.get(), HWLOC_OBJ_CORE, core)) != nullptr;) {
    found.cores += hwloc_bitmap_intersects(core->cpuset, mine.get()) != 0 ? 1 : 0;
  }
  if (found.cores == 0) found.cores = found.hardware_threads;  // a virtual machine that knows of none
  return found;
}

}  // namespace chainrule::pipeline::run
