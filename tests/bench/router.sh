#!/usr/bin/env bash
# Throughput, latency, CPU per request, memory and context switches of routerd: see router.py.
exec /usr/bin/python3 "$(dirname "$0")/router.py" "$@"
