#!/usr/bin/env bash
# A team of agents at work: see agents.py. Called by `./dev demo agents`.
exec /usr/bin/python3 "$(dirname "$0")/agents.py" "$@"
