#!/usr/bin/env bash
# Makes the packages: deb, rpm, MSI, what an update needs, SHA256SUMS and the bills of
# materials. The same commit gives the same bytes (MSI apart: msitools writes the time).
#
#   packages.sh [agent|collector|deb|rpm|msi|update|sbom …]    only what these words name; all without
#
#   OUT=dist            where they are put
#   VERSION=…           instead of that of this checkout
#   SIGN_CERT, SIGN_KEY PEM files: exe and MSI are signed with them (osslsigncode)
#   SIGN_TIMESTAMP      URL of a time stamp server, for signatures that outlive the certificate
set -euo pipefail
cd "$(dirname "$0")/../.."

OUT=${OUT:-dist}
VERSION=${VERSION:-$(internal/tools/version.sh)}
[[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+([+~][0-9A-Za-z.]+)?$ ]] || { echo "VERSION $VERSION: want MAJOR.MINOR.PATCH" >&2; exit 2; }
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)}
COMMIT=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
DATE=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
LDFLAGS="-s -w -X vigia/internal/buildinfo.version=$VERSION -X vigia/internal/buildinfo.commit=$COMMIT -X vigia/internal/buildinfo.date=$DATE"
tools=bin/tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$OUT"

words=" $* "
wants() { # WORD…: nothing was named, or every kind of word that was named is among these
  [ "$words" != "  " ] || return 0
  local w named_program=no named_kind=no program=no kind=no
  for w in agent collector; do [[ $words != *" $w "* ]] || named_program=yes; done
  for w in deb rpm msi update sbom; do [[ $words != *" $w "* ]] || named_kind=yes; done
  for w in "$@"; do
    [[ $words != *" $w "* ]] || case $w in agent | collector) program=yes ;; *) kind=yes ;; esac
  done
  { [ $named_program = no ] || [ $program = yes ]; } && { [ $named_kind = no ] || [ $kind = yes ]; }
}

build() { # PROGRAM GOOS GOARCH CGO: into $work/GOOS-GOARCH, once
  local to=$work/$2-$3/vigia-$1
  [ "$2" != windows ] || to+=.exe
  [ -e "$to" ] || CGO_ENABLED=$4 GOOS=$2 GOARCH=$3 go build -trimpath -buildvcs=false -tags grpcnotrace -ldflags "$LDFLAGS" -o "$to" "./$1"
  touch -d "@$SOURCE_DATE_EPOCH" "$to"
}

docs() { # PROGRAM: manual page and completions, from the program built for this machine
  local host dir=$work/docs bin
  host=$(go env GOHOSTARCH)
  if [ "$1" = agent ]; then build agent linux "$host" 0; else build collector linux amd64 1; host=amd64; fi
  bin=$work/linux-$host/vigia-$1
  mkdir -p "$dir"
  env -i "$bin" man | gzip -9n >"$dir/vigia-$1.8.gz"
  for shell in bash zsh fish; do env -i "$bin" completion "$shell" >"$dir/vigia-$1.$shell"; done
  touch -d "@$SOURCE_DATE_EPOCH" "$dir"/*
  for a in "$work"/linux-*; do ln -sfn "$dir" "$a/docs"; done
}

linux_packages() { # PROGRAM CGO ARCH…
  local program=$1 cgo=$2 arch format
  shift 2
  for arch in "$@"; do
    build "$program" linux "$arch" "$cgo"
    docs "$program"
    for format in deb rpm; do
      wants "$program" "$format" || continue
      ROOT=$work/linux-$arch ARCH=$arch VERSION=$VERSION "$tools/nfpm" package --packager "$format" \
        --config "installer/linux/$program.nfpm.yaml" --target "$OUT/vigia-${program}_${VERSION}_$arch.$format" >/dev/null
      echo "$OUT/vigia-${program}_${VERSION}_$arch.$format"
    done
  done
}

sbom() { # PROGRAM BINARY
  "$tools/cyclonedx-gomod" bin -json -noserial -version "$VERSION" -output "$work/sbom.json" "$2" 2>"$work/sbom.log" || { cat "$work/sbom.log" >&2; exit 1; }
  # The time of making it would be the only thing to differ.
  sed -E "s/(\"timestamp\": )\"[^\"]*\"/\1\"$DATE\"/" "$work/sbom.json" >"$OUT/vigia-$1_$VERSION.cdx.json"
  echo "$OUT/vigia-$1_$VERSION.cdx.json"
}

# sign FILE …: in place, where a certificate was given.
sign() {
  [ -n "${SIGN_CERT:-}" ] || return 0
  local f extra=()
  [ -z "${SIGN_TIMESTAMP:-}" ] || extra=(-ts "$SIGN_TIMESTAMP")
  for f in "$@"; do
    osslsigncode sign -certs "$SIGN_CERT" -key "${SIGN_KEY:?SIGN_CERT needs SIGN_KEY}" -h sha256 -n "Vigía agent" "${extra[@]}" -in "$f" -out "$f.signed" >/dev/null
    mv "$f.signed" "$f"
  done
}

msi() {
  local exe=$work/windows-amd64/vigia-agent.exe out=$OUT/vigia-agent_${VERSION}_x64.msi code signed="Unsigned build"
  build agent windows amd64 0
  sign "$exe"
  signed_exe=yes
  [ -z "${SIGN_CERT:-}" ] || signed="Signed build"
  code=$(printf 'vigia-agent %s' "$VERSION" | sha1sum | tr a-f A-F | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-5\3-A\4-\5/')
  rm -f "$out"
  cp installer/windows/agent.wxs "$work/windows-amd64/" # beside the program: wixl takes no absolute path
  (cd "$work/windows-amd64" && wixl -a x64 -D Version="${VERSION%%[+~]*}" -D ProductCode="$code" -D Signed="$signed" -o agent.msi agent.wxs)
  mv "$work/windows-amd64/agent.msi" "$out"
  # What wixl cannot say: TOKEN and KEEPIDENTITY reach the part that runs as SYSTEM; TOKEN
  # is kept out of logs, as a property and in its action (type 18, deferred, as SYSTEM, target
  # hidden); the old version goes before the new one comes; identity goes when the service stands.
  msibuild "$out" -q "UPDATE Property SET Value = 'KEEPIDENTITY;TOKEN;WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED' WHERE Property = 'SecureCustomProperties'"
  msibuild "$out" -q "INSERT INTO Property (Property, Value) VALUES ('MsiHiddenProperties', 'TOKEN')"
  msibuild "$out" -q "UPDATE CustomAction SET Type = 11282 WHERE Action = 'LeaveToken'"
  msibuild "$out" -q "UPDATE InstallExecuteSequence SET Sequence = 1501 WHERE Action = 'RemoveExistingProducts'"
  # An upgrade removes the old version by itself, and its identity must stay. Windows tells it by
  # UPGRADINGPRODUCTCODE; Wine does not, so the old version is told beforehand (type 34, any exit code).
  msibuild "$out" -q "INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('HoldIdentity', 98, 'INSTALLDIR', '\"[INSTALLDIR]vigia-agent.exe\" forget --hold')"
  msibuild "$out" -q "INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('HoldIdentity', 'WIX_UPGRADE_DETECTED', 1450)"
  msibuild "$out" -q "UPDATE InstallExecuteSequence SET Sequence = 1940 WHERE Action = 'AwaitStop'"
  msibuild "$out" -q "UPDATE InstallExecuteSequence SET Sequence = 1950 WHERE Action = 'ForgetAll'"
  sign "$out"
  echo "$out ($signed)"
}

if wants agent deb || wants agent rpm; then linux_packages agent 0 ${ARCHS:-amd64 arm64}; fi
if wants collector deb || wants collector rpm; then linux_packages collector 1 amd64; fi
if wants agent msi; then msi; fi
# What vigia-collector update sign takes.
update() {
  local a
  for a in ${UPDATES:-linux-amd64 linux-arm64 windows-amd64}; do
    build agent "${a%-*}" "${a#*-}" 0
    case $a in
    windows-*)
      [ "${signed_exe:-}" = yes ] || sign "$work/$a/vigia-agent.exe"
      cp "$work/$a/vigia-agent.exe" "$OUT/vigia-agent_${VERSION}_$a.exe"
      ;;
    *) cp "$work/$a/vigia-agent" "$OUT/vigia-agent_${VERSION}_$a" ;;
    esac
  done
}

if wants agent update && [[ $VERSION != *[+~]* ]]; then update; fi
if wants agent sbom; then build agent linux amd64 0; sbom agent "$work/linux-amd64/vigia-agent"; fi
if wants collector sbom; then build collector linux amd64 1; sbom collector "$work/linux-amd64/vigia-collector"; fi
if [ "$words" = "  " ]; then
  (cd "$OUT" && find . -maxdepth 1 -type f -name "*_${VERSION}*" -printf '%f\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
  echo "$OUT/SHA256SUMS"
fi
