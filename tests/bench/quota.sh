#!/usr/bin/env bash
# How much of the allowed quota is used: see quota.py.
exec /usr/bin/python3 "$(dirname "$0")/quota.py" "$@"
