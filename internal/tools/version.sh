#!/usr/bin/env bash
# The version of this checkout, in a form that deb, rpm, MSI and updates all sort alike:
# MAJOR.MINOR.PATCH, with +dirty where the tree has changes.
#
# Releases are tagged vMAJOR.MINOR; PATCH counts the commits since. On a tag
# vMAJOR.MINOR.PATCH it is that, and counts on from there. Without a tag: 0.1.(commits).
set -euo pipefail
cd "$(dirname "$0")/../.."
git rev-parse --git-dir >/dev/null 2>&1 || { echo 0.0.0; exit 0; }
dirty=
[ -z "$(git status --porcelain --untracked-files=no 2>/dev/null)" ] || dirty=+dirty
if described=$(git describe --tags --long --match 'v[0-9]*.[0-9]*' 2>/dev/null) &&
  [[ $described =~ ^v([0-9]+)\.([0-9]+)(\.([0-9]+))?-([0-9]+)-g[0-9a-f]+$ ]]; then
  m=("${BASH_REMATCH[@]}")
  echo "$((10#${m[1]})).$((10#${m[2]})).$((10#${m[4]:-0} + m[5]))$dirty"
else
  echo "0.1.$(git rev-list --count HEAD)$dirty"
fi
