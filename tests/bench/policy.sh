#!/usr/bin/env bash
# What decisions cost, with 1,000 keys and with 10,000 waiting: tests/policy/policy_bench.cc.
set -euo pipefail
options=(--benchmark_repetitions=5 --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true)
for word in "$@"; do
  case $word in
    --quick) options=(--benchmark_min_time=0.05) ;;
    --json) options+=(--benchmark_format=json) ;;
    --help) echo "./dev bench policy [--quick] [--json] [--benchmark_…]: $(sed -n 's/^# //p' "$0" | head -1)"; exit ;;
    *) options+=("$word") ;;
  esac
done
exec build/tests/policy_bench "${options[@]}"
