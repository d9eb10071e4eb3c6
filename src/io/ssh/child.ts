import type { Child } from '../child.ts';
import type { Connection } from './connection.ts';
import { quoteAll } from './script.ts';

/**
 * Lines out, text in. When its input is closed or we are gone, what runs there has some seconds to end by itself. All of a session
 * is one process group, which sshd made for it.
 */
export async function startFar(link: Connection, argv: readonly string[]): Promise<Child> {
  const script = `exec 4<&0
{ cat <&4; exec >&-; sleep 5; kill -TERM 0; } | ${quoteAll(argv)} 4<&- &
wait "$!"
code=$?
trap 'exit "$code"' TERM
kill -TERM 0
exit "$code"
`;
  const session = await link.talk(script);
  const lines = new LineQueue();
  session.onLine((line) => lines.push(line));
  void session.ended.then(() => lines.end());
  return {
    // Nobody here can signal it by this.
    pid: 0,
    lines,
    write: session.write,
    closeInput: session.closeInput,
    kill: () => {
      session.cut();
      return !lines.over;
    },
    exited: session.ended.then(({ code }) => ({ code, signal: null })),
  };
}

/** Lines that were pushed, for whoever reads them. */
class LineQueue implements AsyncIterable<string> {
  readonly #lines: string[] = [];
  #news = Promise.withResolvers<void>();
  over = false;

  push(line: string): void {
    this.#lines.push(line);
    this.#news.resolve();
  }

  end(): void {
    this.over = true;
    this.#news.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      yield* this.#lines.splice(0);
      if (this.#lines.length > 0) continue;
      if (this.over) return;
      await this.#news.promise;
      this.#news = Promise.withResolvers();
    }
  }
}
