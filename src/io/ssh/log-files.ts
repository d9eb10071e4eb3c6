import { linesOf, tailBytes } from '../log-file.ts';
import type { LogFiles } from '../log-file.ts';
import type { Clock } from '../clock.ts';
import type { Connection } from './connection.ts';
import { quote } from './script.ts';

const pollMs = 1_000;

/** Its size, 0 where there is none, then what was written at or after `since`, no more than the last `most` bytes. */
async function readFrom(
  link: Connection,
  path: string,
  { since, most }: { since: number; most: number },
): Promise<{ end: number; from: number; text: string }> {
  const script = `size=$(wc -c <${quote(path)} 2>/dev/null) || size=0
size=$((size))
from=${since}
[ "$from" -le "$size" ] || from=0
[ $((size - from)) -le ${most} ] || from=$((size - ${most}))
printf '%s %s\\n' "$size" "$from"
[ "$size" -le "$from" ] || tail -c +$((from + 1)) ${quote(path)}`;
  const { stdout } = await link.must(`Reading ${path}`, script);
  const at = stdout.indexOf('\n');
  const [end = 0, from = 0] = stdout.toString('utf8', 0, at).split(' ').map(Number);
  // It may have grown between the two.
  return { end, from, text: stdout.toString('utf8', at + 1, at + 1 + end - from) };
}

/** Output of engines on another machine. Followed by asking again, which no rotation and no lost connection confuses. */
export function farLogFiles(link: Connection, clock: Clock): LogFiles {
  return {
    last: async (path, count, since = 0) => {
      const { end, text } = await readFrom(link, path, { since, most: count === 0 ? 0 : tailBytes });
      return { lines: count === 0 ? [] : linesOf(text).slice(-count), end };
    },
    follow: async function* (path, { from, signal }) {
      let at = from;
      let rest = '';
      while (!signal.aborted) {
        const found = await readFrom(link, path, { since: at, most: tailBytes });
        if (found.from !== at) rest = '';
        const lines = (rest + found.text).split('\n');
        rest = lines.pop() ?? '';
        at = found.end;
        yield* lines;
        await clock.sleep(pollMs, signal).catch(() => {});
      }
    },
    rotate: async (path, maxBytes) => {
      const name = quote(path);
      await link.must(
        `Keeping ${path} small`,
        `size=$(wc -c <${name} 2>/dev/null) || exit 0
[ $((size)) -le ${maxBytes} ] || { cp ${name} ${quote(`${path}.1`)} && : >${name}; }`,
      );
    },
  };
}
