#!/usr/bin/env bash
# Wine 10 for the tests of the Windows programs: Debian 13 in a chroot, made once and
# kept in $VIGIA_WINE or /var/cache/vigia-wine. Debian 12's own Wine 8 does not start
# programs written in Go. As root.
#
#   wine.sh                     makes what is missing; prints the folder of the chroot
#   wine.sh new                 copies the prepared prefix; prints its path in the chroot
#   wine.sh exec PREFIX CMD …   runs CMD (wine …, wineserver …) on a prefix
#   wine.sh drop PREFIX         ends what runs on a prefix and removes it
set -euo pipefail
dir=${VIGIA_WINE:-/var/cache/vigia-wine}
root=$dir/root
template=/prefix.template

# Wine needs /proc; it is mounted in a namespace of its own, so that nothing stays
# mounted when the program has ended.
inside() { # PREFIX CMD …
  local prefix=$1 at=/
  shift
  [ ! -d "$root$prefix/drive_c" ] || at=$prefix/drive_c # Windows' own idea of where it is
  exec unshare --mount --propagation slave /bin/sh -c 'mount -t proc proc "$1/proc"; root=$1; shift; exec chroot "$root" "$@"' sh \
    "$root" /usr/bin/env -i -C "$at" HOME=/root PATH=/usr/bin:/bin LANG=C.UTF-8 WINEPREFIX="$prefix" WINEDEBUG="${WINEDEBUG:--all}" "$@"
}

make_all() {
  [ -e "$root$template/ready" ] && return
  [ "$(id -u)" -eq 0 ] || { echo "wine.sh: the chroot is made as root: sudo $0" >&2; exit 1; }
  mkdir -p "$dir"
  exec 9>"$dir/lock"
  flock 9
  if [ ! -d "$root" ]; then # it gets its name when it is whole
    echo "making a Debian 13 with Wine in $root (about 75 s, 1.4 GB)" >&2
    rm -rf "$root.part"
    mmdebstrap --quiet --variant=minbase --include=wine64,wine \
      --aptopt='APT::Install-Recommends "false"' --aptopt='APT::Install-Suggests "false"' trixie "$root.part" >&2
    rm -rf "$root.part"/var/cache/apt/archives/*.deb
    mv "$root.part" "$root"
  fi
  if [ ! -e "$root$template/ready" ]; then
    echo "making a Wine prefix" >&2
    rm -rf "${root:?}$template"
    for step in 'wineboot -i' 'wineserver -w' 'wine winecfg -v win10' 'wineserver -w'; do
      # shellcheck disable=SC2086
      (inside "$template" timeout 120 $step) 9>&- >&2
    done
    touch "$root$template/ready"
  fi
}

case "${1:-}" in
"")
  make_all
  echo "$root"
  ;;
new)
  make_all
  mkdir -p "$root/prefixes"
  prefix=$(mktemp -d "$root/prefixes/XXXXXXXX")
  cp -a "$root$template/." "$prefix"
  echo "${prefix#"$root"}"
  ;;
exec)
  shift
  inside "$@"
  ;;
drop)
  case "${2:-}" in /prefixes/?*) ;; *) echo "wine.sh: drop takes a prefix that new made" >&2; exit 2 ;; esac
  (inside "$2" timeout 20 wineserver -k) 2>/dev/null || true
  rm -rf "${root:?}$2"
  ;;
*)
  sed -n '2,10p' "$0" >&2
  exit 2
  ;;
esac
