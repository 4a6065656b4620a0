#!/usr/bin/env bash
# Turns a second and added latency of storage, `full` against `process` against a bare SQLite loop.
#   storage.sh [--quick] [--json] [--dir DIR]     DIR: a folder on the disk to measure
set -euo pipefail
cd "$(dirname "$0")/../.."
exec "${REQUESTROUTER_BIN:-build/bin}/storage_bench" "$@"
