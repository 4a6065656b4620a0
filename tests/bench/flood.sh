#!/usr/bin/env bash
# What one caller notices of another's flood: see flood.py.
exec /usr/bin/python3 "$(dirname "$0")/flood.py" "$@"
