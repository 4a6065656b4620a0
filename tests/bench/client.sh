#!/usr/bin/env bash
# What the client library adds to the raw socket: see client.py.
exec /usr/bin/python3 "$(dirname "$0")/client.py" "$@"
