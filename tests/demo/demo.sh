#!/usr/bin/env bash
# A conversation routed over real sockets, real HTTP and a real database; the provider is simulated.
# Called by `./dev demo` when everything is built. Leaves nothing running and nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
BIN=${REQUESTROUTER_BIN:-$PWD/build/bin}
HERE=$(mktemp -d "${TMPDIR:-/tmp}/requestrouter-demo.XXXXXX")
SIM_PID= ROUTERD_PID=

bold() { if [ -t 1 ]; then printf '\n\033[1m%s\033[0m\n' "$*"; else printf '\n%s\n' "$*"; fi; }
note() { printf '  %s\n' "$*"; }

# A command as a person would type it, and what it prints.
run() {
  local word line=routerctl
  for word in "$@"; do case $word in *' '*) line+=" \"$word\"" ;; *) line+=" $word" ;; esac; done
  printf '\n  $ %s\n' "$line"
  "$BIN/routerctl" --endpoint "$ENDPOINT" "$@" 2>&1 | sed 's/^/    /'
}

finish() {
  [ -z "$ROUTERD_PID" ] || kill "$ROUTERD_PID" 2>/dev/null || true
  [ -z "$SIM_PID" ] || kill "$SIM_PID" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$HERE"
}
trap finish EXIT

# Waits until a command succeeds; fails after ten seconds.
until_true() {
  for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "demo: gave up waiting for: $*" >&2
  cat "$HERE"/*.log >&2
  exit 1
}

bold "1. A provider with small quotas"
note "provider_sim stands in for Google's Gemini API: same URLs, same answers, and it refuses what is"
note "over a key's quota with a genuine 429. Three keys: two of 4 requests a minute, one of 10."
"$BIN/provider_sim" --port 0 --key demo-secret-1:rpm=4,tpm=250000 --key demo-secret-2:rpm=4,tpm=250000 \
  --key demo-secret-3:rpm=10,tpm=250000 >"$HERE/sim.log" 2>&1 &
SIM_PID=$!
until_true grep -q 'listening on' "$HERE/sim.log"
SIM_URL=$(grep -o 'http://[0-9.:]*' "$HERE/sim.log" | head -1)
note "It listens on $SIM_URL."

bold "2. routerd, which alone holds the keys"
cat >"$HERE/keys.json" <<'JSON'
{
  "keys": [
    { "key_id": "flash-01", "provider": "gemini", "model_name": "gemini-2.5-flash", "rpm": 4, "tpm": 250000, "tags": { "workload": "light", "priority": 1 } },
    { "key_id": "flash-02", "provider": "gemini", "model_name": "gemini-2.5-flash", "rpm": 4, "tpm": 250000, "tags": { "workload": "light", "priority": 2 } },
    { "key_id": "flash-03", "provider": "gemini", "model_name": "gemini-2.5-flash", "rpm": 10, "tpm": 250000, "tags": { "workload": "light", "priority": 3 } }
  ]
}
JSON
cat >"$HERE/.env" <<'ENV'
API_KEY_flash-01=demo-secret-1
API_KEY_flash-02=demo-secret-2
API_KEY_flash-03=demo-secret-3
ENV
chmod 600 "$HERE/.env"
ENDPOINT=ipc://$HERE/router.sock
ROUTERD_GEMINI_BASE_URL=$SIM_URL "$BIN/routerd" --config "$HERE/keys.json" --env-file "$HERE/.env" \
  --endpoint "$ENDPOINT" --state-dir "$HERE/state" 2>"$HERE/routerd.log" &
ROUTERD_PID=$!
until_true "$BIN/routerctl" --endpoint "$ENDPOINT" health
note "It listens on $ENDPOINT and stores in a private folder."

bold "3. A conversation of two turns: the second shows that the first is remembered"
run chat --conversation demo --model gemini-2.5-flash "My name is Ada. Please remember it."
run chat --conversation demo --model gemini-2.5-flash "What is my name?"

bold "4. Eight more requests: flash-01 reaches its limit of 4 a minute, the next keys take over"
for i in $(seq 8); do
  "$BIN/routerctl" --endpoint "$ENDPOINT" --json chat --no-stream --model gemini-2.5-flash "Question $i" |
    python3 -c 'import json,sys; r=json.load(sys.stdin); print("    request '"$i"': answered by %s, waited %d ms" % (r["key_id"], r["waited_ms"]))'
done

bold "5. What the operator sees"
run keys
run health

bold "6. kill -9, and start again: the conversation and the counters are still there"
kill -9 "$ROUTERD_PID"; wait "$ROUTERD_PID" 2>/dev/null || true
ROUTERD_GEMINI_BASE_URL=$SIM_URL "$BIN/routerd" --config "$HERE/keys.json" --env-file "$HERE/.env" \
  --endpoint "$ENDPOINT" --state-dir "$HERE/state" 2>"$HERE/routerd.log" &
ROUTERD_PID=$!
until_true "$BIN/routerctl" --endpoint "$ENDPOINT" health
run conversation demo
run keys

bold "7. Stopped"
kill "$ROUTERD_PID"; wait "$ROUTERD_PID" || { echo "demo: routerd did not stop cleanly" >&2; exit 1; }
ROUTERD_PID=
REFUSED=$(python3 -c 'import json,sys,urllib.request; s=json.load(urllib.request.urlopen(sys.argv[1]+"/_sim/stats")); print(sum(k.get("rate_limited",0) for k in s["keys"]))' "$SIM_URL")
note "The provider had to refuse $REFUSED requests (429): the limits were kept before sending."
[ "$REFUSED" = 0 ] || exit 1

bold "What was shown"
note "- one daemon held all keys; the callers had none"
note "- a conversation kept its context, over a kill -9 too"
note "- each key was used up to its limit and not beyond; the next one took over"

bold "With a real key: three lines"
note "echo 'API_KEY_mine=YOUR-KEY' > .env && chmod 600 .env"
note "echo '{\"keys\":[{\"key_id\":\"mine\",\"provider\":\"gemini\",\"model_name\":\"gemini-2.5-flash\",\"rpm\":10}]}' > keys.json"
note "build/bin/routerd --config keys.json --env-file .env --state-dir state & build/bin/routerctl chat \"Hello\""
note "OpenAI: \"provider\":\"openai\",\"model_name\":\"gpt-5-mini\". Anthropic: \"provider\":\"anthropic\",\"model_name\":\"claude-sonnet-4-5\"."
