/**
 * A shell program that says who holds the lock on the file of "$file" without having left a name, as far as this user may see it.
 * Open files are looked at first: /proc/locks names who took the lock, also after he has handed it on and ended, when his number may be
 * another's. Where a process hides its files the list is believed, and where nothing shows, the owner of the file is named: whoever holds
 * it may be another one.
 */
export function unnamedHolder(proc = '/proc'): string {
  return `by=
for fd in $(find ${proc}/[0-9]*/fd -lname "$(readlink -f "$file")" 2>/dev/null); do
  grep -qs '^lock:.*FLOCK' "\${fd%/fd/*}/fdinfo/\${fd##*/}" || continue
  by=\${fd#${proc}/}; by=\${by%%/*}; break
done
if [ -z "$by" ]; then
  device=$(stat -L -c %d "$file"); major=$(( (device >> 8) & 4095 )); minor=$(( (device & 255) | ((device >> 12) & 1048320) ))
  at=$(printf '%02x:%02x:%s' "$major" "$minor" "$(stat -L -c %i "$file")")
  while read -r _ kind _ _ pid place _; do
    [ "$kind $place" = "FLOCK $at" ] && [ -e "${proc}/$pid" ] && ! ls "${proc}/$pid/fd" >/dev/null 2>&1 && { by=$pid; break; }
  done <${proc}/locks
fi 2>/dev/null
if [ -n "$by" ]; then
  printf 'process %s (%s) of user %s, which left no name' "$by" "$(tr -cd '[:print:]' <"${proc}/$by/comm" 2>/dev/null)" "$(stat -c %U "${proc}/$by" 2>/dev/null)"
else
  printf 'somebody who left no name, by the file %s of user %s' "$file" "$(stat -L -c %U "$file" 2>/dev/null)"
fi
`;
}
