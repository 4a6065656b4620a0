#pragma once

#include <string>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

// Metric families from values that are at hand when they are asked for.
namespace requestrouter::ops {

using Families = std::vector<prometheus::MetricFamily>;
using Labels = std::vector<prometheus::ClientMetric::Label>;

inline prometheus::MetricFamily NewFamily(prometheus::MetricType type, std::string name,
                                          std::string help) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type;
  return family;
}

inline void Add(prometheus::MetricFamily& family, Labels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  metric.counter.value = value;  // the family's type says which is read
  family.metric.push_back(std::move(metric));
}

inline prometheus::MetricFamily Gauge(std::string name, std::string help) {
  return NewFamily(prometheus::MetricType::Gauge, std::move(name), std::move(help));
}

// Of one value without labels.
inline prometheus::MetricFamily Single(prometheus::MetricType type, std::string name,
                                       std::string help, double value) {
  prometheus::MetricFamily family = NewFamily(type, std::move(name), std::move(help));
  Add(family, {}, value);
  return family;
}

inline void Append(Families& to, Families families) {
  for (prometheus::MetricFamily& family : families) to.push_back(std::move(family));
}

}  // namespace requestrouter::ops
