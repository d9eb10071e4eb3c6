import { urlHost } from '../../domain/url-host.ts';
import type { Mark } from '../../domain/instance.ts';

/** Small shell programs that a unit runs beside its engine. */

/**
 * Start is done once the engine answers; what waits for the unit waits for the model. One that asks for a key has answered too.
 * Null where nothing can ask.
 */
export function waitForHealth(fetcher: 'curl' | 'wget' | null, mark: Mark): string | null {
  if (fetcher === null) return null;
  const url = `http://${urlHost(mark.address)}:${mark.port}${mark.spec.readiness.path}`;
  const answers =
    fetcher === 'curl'
      ? `c=$(curl -s -m 2 -o /dev/null -w '%{http_code}' '${url}'); case $c in 2??|401|403) true;; *) false;; esac`
      : // It ends with 6 when a key is asked for.
        `wget -q -T 2 -O /dev/null '${url}' 2>/dev/null; c=$?; [ $c = 0 ] || [ $c = 6 ]`;
  return `until ${answers}; do kill -0 $MAINPID || exit 1; sleep 1; done`;
}

/** The same for a unit that is written for whatever machine: one without curl is started and not waited for. */
export function waitWhereItCan(mark: Mark): string {
  return `command -v curl >/dev/null || exit 0; ${waitForHealth('curl', mark) ?? ''}`;
}

export const killedForMemory = 'berth: killed for the memory that it took';

/** With cgroups of version 1 systemd does not tell; the counter of the unit's own cgroup does, which is gone a moment later. */
export const checkMemory = [
  `p=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)`,
  'f=/sys/fs/cgroup/memory$p/memory.oom_control',
  `[ -n "$p" ] || { p=$(sed -n 's/^0:://p' /proc/self/cgroup); f=/sys/fs/cgroup$p/memory.events; }`,
  `n=$(sed -n 's/^oom_kill //p' "$f" 2>/dev/null)`,
  `[ "\${n:-0}" = 0 ] || echo "${killedForMemory} (oom_kill $n)"`,
].join('; ');
