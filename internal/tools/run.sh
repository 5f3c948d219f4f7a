#!/usr/bin/env bash
# `make run`: a collector on SQLite in a folder of its own, this machine's agent enrolled
# in it, what was found, and where to open the console. Ctrl-C stops both; run again
# and it goes on with the same data.
#
#   RUN_DIR     where data is kept         (run/ in this checkout)
#   AGENTS      address for agents          (127.0.0.1:7443)
#   WEB         address of the console      (127.0.0.1:7080)
#   RUN_ONCE=1  stop after showing what was found
set -euo pipefail
cd "$(dirname "$0")/../.."

dir=${RUN_DIR:-run}
agents=${AGENTS:-127.0.0.1:7443}
web=${WEB:-127.0.0.1:7080}
collector=bin/vigia-collector
agent=bin/vigia-agent
data=$dir/collector
state=$dir/agent
mkdir -p "$data" "$state"
chmod 700 "$dir" "$data" "$state"

pids=()
stop() {
  trap - EXIT INT TERM
  for p in "${pids[@]}"; do kill -TERM "$p" 2>/dev/null || true; done
  for p in "${pids[@]}"; do wait "$p" 2>/dev/null || true; done
}
trap stop EXIT
trap 'echo; echo "stopping"; stop; exit 0' INT TERM

die() { echo "make run: $1" >&2; [ -f "${2:-}" ] && tail -n 15 "$2" >&2; exit 1; }

# wait_for SECONDS WHAT LOG PID COMMAND...: until COMMAND succeeds.
wait_for() {
  local seconds=$1 what=$2 log=$3 pid=$4
  shift 4
  local end=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    kill -0 "$pid" 2>/dev/null || die "$what: the program ended; its log says:" "$log"
    [ "$SECONDS" -lt "$end" ] || die "$what: not within $seconds s; the log says:" "$log"
    sleep 0.2
  done
}

"$collector" serve --data "$data" --agents "$agents" --web "$web" >>"$dir/collector.log" 2>&1 &
pids+=($!)
wait_for 60 "starting the collector" "$dir/collector.log" $! "$collector" ready --web "$web"

if [ ! -f "$dir/allowlist-imported" ]; then
  "$collector" allowlist import installer/config/allowlist.yaml --data "$data" --yes >/dev/null
  touch "$dir/allowlist-imported"
fi
if [ ! -f "$state/identity.json" ]; then
  token=$("$collector" token create --data "$data" --uses 1 --expires 1h --note "make run")
  "$agent" enroll --token "$token" --state "$state" >/dev/null
fi

started=$(date +%s)
"$agent" run --state "$state" >>"$dir/agent.log" 2>&1 &
pids+=($!)
wait_for 120 "waiting for this machine's report" "$dir/agent.log" $! "$agent" status --state "$state" --reported-since "@$started"

host=$(hostname)
echo
"$collector" machine show "$host" --data "$data" --summary
echo
echo "Console:  $("$collector" signin-link --data "$data" --web "$web")"
echo "          (opens once; its certificate is the collector's own, so the browser asks first)"
echo "Data:     $dir    logs: $dir/collector.log, $dir/agent.log"
if [ "${RUN_ONCE:-}" = 1 ]; then exit 0; fi
echo "Running. Ctrl-C stops both; make run goes on with the same data."
wait -n "${pids[@]}" || true
die "one of the two programs ended; see the logs" "$dir/collector.log"
