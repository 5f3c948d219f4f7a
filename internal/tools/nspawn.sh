#!/usr/bin/env bash
# Prints the folder of a small Debian 12 with systemd, made once (half a minute) and kept
# under /var/cache/vigia-nspawn. Tests copy it; nobody changes it.
set -euo pipefail
cache=${VIGIA_NSPAWN:-/var/cache/vigia-nspawn}
made=$cache/bookworm-1 # counts up when the list below changes
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -d "$made" ]; then
  rm -rf "$cache/half"
  mmdebstrap --quiet --variant=minbase --include=systemd-sysv,systemd,dbus,procps bookworm "$cache/half" >&2
  mv "$cache/half" "$made"
fi
echo "$made"
