#!/usr/bin/env bash
# kill -9 at named points and at any moment under load, 2,000 times (--quick: 200).
#   crash.sh [--quick] [--json] [--rounds N] [--seed N]
set -euo pipefail
cd "$(dirname "$0")/../.."
arguments=()
for argument in "$@"; do
  [ "$argument" = --quick ] && arguments+=(--rounds 200) || arguments+=("$argument")
done
REQUESTROUTER_BIN=${REQUESTROUTER_BIN:-$PWD/build/bin} \
REQUESTROUTER_EXAMPLES=$PWD/tests/golden/config \
  exec /usr/bin/python3 tests/e2e/crash.py "${arguments[@]}"
