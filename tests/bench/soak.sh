#!/usr/bin/env bash
# Steady load for an hour: memory, descriptors and database size over time: see soak.py.
exec /usr/bin/python3 "$(dirname "$0")/soak.py" "$@"
