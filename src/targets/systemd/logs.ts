import type { Instance } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { asRoot, scopeNamed } from './scope.ts';
import type { Scope } from './scope.ts';

export function unitOfObject({ object }: Pick<Instance, 'object'>): { scope: string; unit: string } {
  const at = object.id.indexOf('/');
  return { scope: object.id.slice(0, at), unit: object.id.slice(at + 1) };
}

/** The journal may be read by root and by some groups only; sudo is used where berth may. */
function journal(scope: Scope, unit: string, args: readonly string[]): string[] {
  const of = scope.name === 'user' ? '--user-unit' : '--unit';
  return [...asRoot(scope), 'journalctl', '--no-pager', '-q', '-o', 'cat', of, `${unit}.service`, ...args];
}

export async function lastLines(
  world: World,
  scope: Scope,
  { unit, count, since }: { unit: string; count: number; since?: number },
): Promise<string[]> {
  const from = since === undefined ? [] : ['--since', `@${(since / 1000).toFixed(3)}`];
  const argv = journal(scope, unit, ['-n', String(count), ...from]);
  const { stdout } = await world.exec.run(argv, { timeoutMs: 20_000 });
  return stdout.split('\n').filter((line) => line !== '');
}

export async function* logs(
  world: World,
  instance: Instance,
  how: { lines: number; follow: boolean; signal: AbortSignal },
): AsyncIterable<string> {
  const { scope: name, unit } = unitOfObject(instance);
  const scope = scopeNamed(world, name);
  if (!how.follow) {
    yield* await lastLines(world, scope, { unit, count: how.lines });
    return;
  }
  if (how.signal.aborted) return;
  const child = await world.exec.start(journal(scope, unit, ['-n', String(how.lines), '-f']));
  function end(): void {
    child.kill('SIGTERM');
  }
  how.signal.addEventListener('abort', end, { once: true });
  try {
    yield* child.lines;
  } finally {
    how.signal.removeEventListener('abort', end);
    end();
    await child.exited;
  }
}
