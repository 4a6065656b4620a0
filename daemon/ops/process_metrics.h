#pragma once

#include <vector>

#include <prometheus/metric_family.h>

namespace requestrouter::ops {

// What the system says of this process, under the names that Prometheus' own client libraries use
// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics). Any thread.
// By hand, because prometheus-cpp has none.
std::vector<prometheus::MetricFamily> ProcessMetrics();

}  // namespace requestrouter::ops
