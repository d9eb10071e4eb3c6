/**
 * A shell program that says who has the socket of "$socket", by which a berth that works there itself holds a lock: what it says of
 * itself, and ends with 0. One that is asked and says nothing, or that was stopped where no program there can ask, is named as far as
 * this user may see it, and the end is `silent`. Where nothing can be known of it, it is taken to be at work. Goes on where nobody has it.
 */
export function socketHolder(silent: number, proc = '/proc'): string {
  return `name=\${socket#@}
held() { grep -qF " $socket" ${proc}/net/unix; }
# Sockets of those who were let in by it have its name too.
owner() {
  while read -r _ _ _ flags _ _ inode path; do
    [ "$path" = "$socket" ] && [ "$flags" = 00010000 ] || continue
    ls -l ${proc}/[0-9]*/fd 2>/dev/null | grep -F -e '/fd:' -e "-> socket:[$inode]" | while read -r line; do
      case $line in
        *:) at=\${line#${proc}/} ;;
        *) printf '%s' "\${at%%/*}"; break ;;
      esac
    done
  done <${proc}/net/unix
}
ask() {
  curl -q -s "$@" --noproxy '*' --max-time 2 --abstract-unix-socket "$name" http://berth/ 2>/dev/null
}
takes() { curl -q "$@" --abstract-unix-socket x -V >/dev/null 2>&1; }
asks=yes said=
if ! held; then asks=
elif takes --http0.9; then said=$(ask --http0.9 | head -c 1000)
elif takes; then said=$(ask | head -c 1000)
elif perl -MSocket -e 1 2>/dev/null; then
  said=$(perl -MSocket -e '$| = 1; alarm 2; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack("Sa*", AF_UNIX, "\\0$ARGV[0]")) or exit; print while sysread(S, $_, 1000)' "$name" 2>/dev/null | head -c 1000)
elif python3 -c 1 2>/dev/null; then
  said=$(python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(2); s.connect("\\0" + sys.argv[1])
sys.stdout.buffer.write(s.recv(1000))' "$name" 2>/dev/null)
else asks=
fi
if [ -n "$said" ]; then printf '%s' "$said"; exit 0; fi
if held; then
  pid=$(owner)
  [ -n "$asks" ] || { [ -n "$pid" ] && grep -q '^State:.[TtD]' ${proc}/$pid/status 2>/dev/null; } || { printf 'a berth that runs there'; exit 0; }
  if [ -n "$pid" ]; then printf 'process %s (%s) of user %s' "$pid" "$(cat "${proc}/$pid/comm" 2>/dev/null)" "$(stat -c %U "${proc}/$pid" 2>/dev/null)"
  else printf 'a berth that runs there'; fi
  printf ', which does not answer'; exit ${silent}
fi
`;
}
