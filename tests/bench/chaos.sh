#!/usr/bin/env bash
# Ten minutes of load while everything goes wrong, and a ledger that must balance: see --help.
set -euo pipefail
cd "$(dirname "$0")/../.."
REQUESTROUTER_BIN=${REQUESTROUTER_BIN:-$PWD/build/bin} \
REQUESTROUTER_EXAMPLES=$PWD/tests/golden/config \
  exec /usr/bin/python3 tests/e2e/chaos.py "$@"
