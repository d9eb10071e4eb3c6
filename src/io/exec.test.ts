import { expect, test } from 'vitest';
import { localExec } from './exec.ts';

test('a command runs to its end, with its input and both outputs', async () => {
  const result = await localExec.run(['sh', '-c', 'cat; echo oops >&2; exit 3'], { input: 'hello' });
  expect(result).toEqual({ code: 3, signal: null, stdout: 'hello', stderr: 'oops\n' });
});

test('a missing program is an answer, and leaves no timer behind', async () => {
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const result = await localExec.run(['berth-no-such-program'], { timeoutMs: 60_000 });
  expect(result.code).toBeNull();
  expect(result.stderr).toContain('ENOENT');
  expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length).toBeLessThanOrEqual(
    timers,
  );
});

test('a command past its time is killed, even where a child of it holds the pipes', async () => {
  const result = await localExec.run(['sh', '-c', 'sleep 5 & wait'], { timeoutMs: 100 });
  expect(result).toMatchObject({ code: null, signal: 'SIGKILL' });
});
