#!/usr/bin/env bash
# Installs the real parts that tests and benchmarks run against: Debian packages, as
# root. Where something is missing and cannot be installed, it says so and fails.
set -euo pipefail

packages=(
  protobuf-compiler            # protoc, for generated code
  postgresql                   # the second database engine
  chromium                     # the console's browser tests
  clamav clamav-daemon         # antivirus probe
  dpkg-dev                     # building the .deb files that tests install
  dovecot-imapd                # the mailbox that replies come to
  poppler-utils                # PDF to pictures
  fusioninventory-agent        # the peer of make bench
  sqlite3                      # what make bench multiplies machines with
  lz4                          # what the probe of apt lists is compared with
  rpm wixl msitools osslsigncode  # packages: made, signed and tried
  mmdebstrap systemd-container # a real systemd to install them in
  zsh fish man-db groff        # completions and manual pages
  mmdebstrap                   # the chroot with Wine 10 (wine.sh) for the Windows agent
  osslsigncode                 # Authenticode signatures to verify
  libhivex-bin                 # registry hives to read
  qemu-user-static             # the arm64 agent
  procps util-linux iproute2 strace
)

missing=()
for p in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
done
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "these real parts are missing: ${missing[*]}" >&2
  echo "install them: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# A package's service must not start here: tests start what they need themselves.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
