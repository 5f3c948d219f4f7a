#!/usr/bin/env bash
# Fails where generated code is not what its sources generate.
set -euo pipefail
cd "$(dirname "$0")/../.."
before=$(git ls-files -z -- '*.pb.go' 'collector/internal/store/*' | xargs -0 sha256sum)
make --no-print-directory proto >/dev/null
after=$(git ls-files -z -- '*.pb.go' 'collector/internal/store/*' | xargs -0 sha256sum)
if [ "$before" != "$after" ]; then
  echo "generated code was stale; make proto has just renewed it. Commit these:" >&2
  diff <(echo "$before") <(echo "$after") | sed -n 's/^> [0-9a-f]* */  /p' >&2
  exit 1
fi
