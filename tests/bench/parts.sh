#!/usr/bin/env bash
# What each part of a request's way costs: decode, policy, prompt, answer, rows, trace, reply.
#   parts.sh [--quick] [--json] [--benchmark_…]     --benchmark_filter=NAME chooses
set -euo pipefail
options=(--benchmark_repetitions=5 --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true)
for word in "$@"; do
  case $word in
    --quick) options=(--benchmark_min_time=0.05) ;;
    --json) options+=(--benchmark_format=json) ;;
    --help) sed -n '2,3s/^# *//p' "$0"; exit ;;
    *) options+=("$word") ;;
  esac
done
exec "${REQUESTROUTER_BIN:-build/bin}/parts_bench" "${options[@]}"
