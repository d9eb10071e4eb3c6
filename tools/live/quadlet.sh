#!/bin/sh
# Puts podman's generator of units (Quadlet, in podman since 4.4) into a cache folder, for live tests: that of Debian trixie,
# from the mirror that this machine already uses. Nothing is installed. It needs a glibc of 2.34 or newer, and nothing else.
#
#   tools/live/quadlet.sh            prints where it lies: FOLDER/bin/quadlet
#
# BERTH_LIVE_CACHE: the cache (default ~/.cache/berth-live). Running it again fetches nothing that is there already.
set -eu

cache=${BERTH_LIVE_CACHE:-$HOME/.cache/berth-live}
work=$cache/quadlet
quadlet=$cache/bin/quadlet

fail() { echo "quadlet.sh: $*" >&2; exit 1; }

if ! "$quadlet" -version >/dev/null 2>&1; then
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "apt-get is missing: this works on Debian and its kin only"
  mirror=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' 2>/dev/null | head -n 1)
  [ -n "$mirror" ] || fail "no package mirror is configured on this machine"
  rm -rf "$work"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/state" "$work/root" "$cache/bin"
  : >"$work/state/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$work/sources.list"
  # A lists folder of its own: the machine's package state is neither read nor changed.
  set -- -o Dir::State="$work/state" -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/state/status" \
    -o Dir::Cache="$work/cache" -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)"
  (cd "$work" && apt-get "$@" update && apt-get "$@" download podman) >"$work/log" 2>&1 ||
    fail "podman could not be fetched from the mirror; the reason is in $work/log"
  dpkg -x "$work"/podman_*.deb "$work/root"
  cp "$work/root/usr/libexec/podman/quadlet" "$quadlet"
  rm -rf "$work"
fi
"$quadlet" -version >/dev/null 2>&1 || fail "the fetched quadlet does not run here"
echo "$quadlet"
