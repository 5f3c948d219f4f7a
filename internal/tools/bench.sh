#!/usr/bin/env bash
# `make bench`: figures beside peers. Without argument all parts, else some of
#   inventory idle ingest connections reconnects pages
#
#   PAIRS=5            pairs of inventories
#   IDLE_SECONDS=600   how long the idle agent is watched
#   MACHINES=1000      machines whose reports are measured
#   PAGE_MACHINES=10000  machines of the company whose pages are requested (and ten times as many in the list)
#   MANY=5000          machines for connections, reconnects and flatness
# Programs are taken from bin/ (make build).
set -euo pipefail
cd "$(dirname "$0")/../.."
for p in bin/vigia-agent bin/vigia-collector; do
  [ -x "$p" ] || { echo "bench: $p is missing; run make build" >&2; exit 1; }
done
internal/tools/parts.sh
mkdir -p bin/tools
go build -tags grpcnotrace -o bin/tools/fleetsim ./internal/fleetsim/cmd/fleetsim
go build -tags grpcnotrace -o bin/tools/pages ./internal/fleetsim/cmd/pages
(cd internal/tools && go build -o ../../bin/tools/bench ./bench)
exec bin/tools/bench -pairs "${PAIRS:-5}" -idle "${IDLE_SECONDS:-600}s" -machines "${MACHINES:-1000}" -many "${MANY:-5000}" -page-machines "${PAGE_MACHINES:-10000}" "$@"
