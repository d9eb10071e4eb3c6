#!/bin/sh
# Puts AIPerf into a cache folder, for benchmarks that hold berth against it. With what it needs it is over a gigabyte.
#
#   tools/live/aiperf.sh                prints the path of the program: FOLDER/aiperf/bin/aiperf
#
# It wants a tokenizer: the folder that tools/live/guidellm.sh makes will do.
# BERTH_LIVE_CACHE: the cache (default ~/.cache/berth-live). Running it again fetches nothing that is there already.
set -eu

version=0.13.0
cache=${BERTH_LIVE_CACHE:-$HOME/.cache/berth-live}
home=$cache/aiperf

say() { echo "aiperf.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

if [ "$("$home/bin/aiperf" --version 2>/dev/null)" != "$version" ]; then
  command -v python3 >/dev/null || fail "python3 is missing"
  mkdir -p "$cache"
  rm -rf "$home"
  python3 -m venv "$home" >"$cache/aiperf.log" 2>&1 || fail "python3 has no venv; the reason is in $cache/aiperf.log"
  "$home/bin/python" -m pip --disable-pip-version-check -q install "aiperf==$version" >>"$cache/aiperf.log" 2>&1 ||
    fail "aiperf $version cannot be fetched; the reason is in $cache/aiperf.log"
  say "aiperf $version"
fi
echo "$home/bin/aiperf"
