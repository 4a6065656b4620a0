#!/usr/bin/env bash
# A team at work: planner, architect, then coders in parallel, each a process of its own. They share
# three small keys through one daemon and hold none. Called by `./dev demo agents`.
set -euo pipefail
cd "$(dirname "$0")/../.."
BIN=${REQUESTROUTER_BIN:-$PWD/build/bin}
CODERS=${CODERS:-12}
HERE=$(mktemp -d "${TMPDIR:-/tmp}/requestrouter-agents.XXXXXX")
PIDS=()

finish() {
  [ ${#PIDS[@]} -eq 0 ] || kill "${PIDS[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$HERE"
}
trap finish EXIT

until_true() {
  for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "demo: gave up waiting for: $*" >&2
  cat "$HERE"/*.log >&2
  exit 1
}

"$BIN/provider_sim" --port 0 --key s1:rpm=4,tpm=250000 --key s2:rpm=4,tpm=250000 \
  --key s3:rpm=4,tpm=250000 >"$HERE/sim.log" 2>&1 &
PIDS+=($!)
until_true grep -q 'listening on' "$HERE/sim.log"
SIM_URL=$(grep -o 'http://[0-9.:]*' "$HERE/sim.log" | head -1)

key() { printf '{"key_id":"%s","provider":"gemini","model_name":"gemini-2.5-flash","rpm":4,"tpm":250000}' "$1"; }
echo "{\"keys\":[$(key k1),$(key k2),$(key k3)]}" >"$HERE/keys.json"
printf 'API_KEY_k%s=s%s\n' 1 1 2 2 3 3 >"$HERE/.env"
chmod 600 "$HERE/.env"
export REQUESTROUTER_ENDPOINT=ipc://$HERE/router.sock
ROUTERD_GEMINI_BASE_URL=$SIM_URL "$BIN/routerd" --config "$HERE/keys.json" --env-file "$HERE/.env" \
  --endpoint "$REQUESTROUTER_ENDPOINT" --state-dir "$HERE/state" 2>"$HERE/routerd.log" &
PIDS+=($!)
until_true "$BIN/routerctl" health

echo "Planner:"
"$BIN/planner" "Build a small web shop"
echo "Architect:"
"$BIN/architect" "The contract of the shop's basket"
echo "$CODERS coders, with room for 12 requests a minute in all; who has to wait, waits here:"
TEAM=()
for n in $(seq "$CODERS"); do
  "$BIN/coder" --agent "c$n" "Write part $n" "$HERE/part$n.txt" 2>"$HERE/coder$n.log" &
  TEAM+=($!) PIDS+=($!)
done
running() { for pid in "${TEAM[@]}"; do kill -0 "$pid" 2>/dev/null && return 0; done; return 1; }
while running; do
  "$BIN/routerctl" queue || true
  sleep "${REFRESH_S:-5}"
done
for pid in "${TEAM[@]}"; do wait "$pid" || { cat "$HERE"/coder*.log >&2; exit 1; }; done
ls "$HERE"/part*.txt | wc -l | sed 's/$/ files written/'
REFUSED=$(python3 -c 'import json,sys,urllib.request; s=json.load(urllib.request.urlopen(sys.argv[1]+"/_sim/stats")); print(sum(k.get("rate_limited",0) for k in s["keys"]))' "$SIM_URL")
echo "The provider had to refuse $REFUSED requests (429)."
[ "$REFUSED" = 0 ]
