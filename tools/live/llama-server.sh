#!/bin/sh
# Puts a real llama-server (with llama-bench and llama-quantize) into a cache folder, for live tests and benchmarks.
# Takes Debian sid's llama.cpp-tools from the mirror that this machine already uses and unpacks it with all its
# libraries, so that nothing is installed and the system's own libraries stay as they are. Runs on any Debian.
#
#   tools/live/llama-server.sh            prints the folder of the wrappers: FOLDER/bin/{llama-server,llama-bench,llama-quantize}
#
# BERTH_LIVE_CACHE: the cache (default ~/.cache/berth-live). Running it again fetches nothing that is there already.
set -eu

cache=${BERTH_LIVE_CACHE:-$HOME/.cache/berth-live}
work=$cache/llama-cpp
root=$work/root
bin=$cache/bin

say() { echo "llama-server.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

case $(uname -m) in
  x86_64) triplet=x86_64-linux-gnu; loader=lib64/ld-linux-x86-64.so.2 ;;
  aarch64) triplet=aarch64-linux-gnu; loader=lib/ld-linux-aarch64.so.1 ;;
  *) fail "no package for the architecture $(uname -m)" ;;
esac
lib=$root/usr/lib/$triplet

fetch() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "apt-get is missing: this works on Debian and its kin only"
  mirror=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' 2>/dev/null | head -n 1)
  [ -n "$mirror" ] || fail "no package mirror is configured on this machine"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/state"
  : >"$work/state/status"
  # A lists folder of its own: the machine's package state is neither read nor changed.
  set -- -o Dir::State="$work/state" -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/state/status" \
    -o Dir::Cache="$work/cache" -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)"
  keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  for trust in "signed-by=$keyring" "trusted=yes"; do
    # An old keyring does not know sid's newest key; what is fetched here is run by tests only.
    [ "$trust" != "signed-by=$keyring" ] || [ -f "$keyring" ] || continue
    echo "deb [$trust] $mirror sid main" >"$work/sources.list"
    apt-get "$@" update >"$work/log" 2>&1 && apt-get "$@" indextargets 'Identifier: Packages' | grep -q . || continue
    apt-get "$@" install -y --no-install-recommends --download-only -t sid llama.cpp-tools >>"$work/log" 2>&1 && return 0
  done
  fail "llama.cpp-tools could not be fetched from the mirror; the reason is in $work/log"
}

unpack() {
  rm -rf "$root.part"
  mkdir -p "$root.part"
  for package in "$work"/cache/archives/*.deb; do dpkg -x "$package" "$root.part"; done
  rm -rf "$root" && mv "$root.part" "$root"
}

# The fastest backend whose every needed instruction this CPU has; the plain one is two to three times slower.
backend() {
  flags=" $(grep -m 1 -E '^(flags|Features)' /proc/cpuinfo | cut -d: -f2) "
  while read -r name needs; do
    [ -f "$lib/ggml/backends0/libggml-cpu-$name.so" ] || continue
    for flag in $needs; do
      case $flags in *" $flag "*) ;; *) continue 2 ;; esac
    done
    echo "$name" && return 0
  done <<LIST
sapphirerapids avx2 fma f16c bmi2 avx512f avx512bw avx512vl avx512dq avx512cd avx512vbmi avx512_vnni avx512_bf16 amx_tile amx_int8
zen4 avx2 fma f16c bmi2 avx512f avx512bw avx512vl avx512dq avx512cd avx512vbmi avx512_vnni avx512_bf16
cooperlake avx2 fma f16c bmi2 avx512f avx512bw avx512vl avx512dq avx512cd avx512_vnni avx512_bf16
icelake avx2 fma f16c bmi2 avx512f avx512bw avx512vl avx512dq avx512cd avx512vbmi avx512_vnni
cascadelake avx2 fma f16c bmi2 avx512f avx512bw avx512vl avx512dq avx512cd avx512_vnni
cannonlake avx2 fma f16c bmi2 avx512f avx512bw avx512vl avx512dq avx512cd avx512vbmi
skylakex avx2 fma f16c bmi2 avx512f avx512bw avx512vl avx512dq avx512cd
alderlake avx2 fma f16c bmi2 avx_vnni
haswell avx2 fma f16c bmi2
piledriver avx f16c fma
ivybridge avx f16c
sandybridge avx
sse42 sse4_2
armv8.6_2 asimd asimdhp asimddp i8mm sve2
armv8.2_2 asimd asimdhp asimddp
armv8.2_1 asimd asimddp
armv8.0_1 asimd
x64
LIST
  return 1
}

[ -x "$root/usr/bin/llama-server" ] || { fetch; unpack; }
[ -x "$root/usr/bin/llama-server" ] || fail "the fetched packages hold no llama-server"
chosen=$(backend) || fail "none of the packaged backends suits this CPU"
mkdir -p "$bin"
ld=$root/usr/$loader
[ -x "$ld" ] || ld=$root/$loader
for program in llama-server llama-bench llama-quantize; do
  [ -x "$root/usr/bin/$program" ] || continue
  cat >"$bin/$program" <<WRAPPER
#!/bin/sh
# CPU backend: $chosen
export GGML_BACKEND_PATH="$lib/ggml/backends0/libggml-cpu-$chosen.so"
exec "$ld" --library-path "$lib:$lib/ggml:$lib/llama" "$root/usr/bin/$program" "\$@"
WRAPPER
  chmod +x "$bin/$program"
done
"$bin/llama-server" --version >"$work/version" 2>&1 || fail "the unpacked llama-server does not run: $(tail -n 1 "$work/version")"
say "backend $chosen, $(grep -m 1 -i version "$work/version" || echo 'unknown version')"
echo "$bin"
