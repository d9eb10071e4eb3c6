/**
 * A pause before a container is told to end. Where no server is known it is a program, which each version takes and each usual
 * image has; one that lacks it ends without the pause. Pure.
 */
export function pauseHook(seconds: number, sleeps: boolean): Record<string, unknown> {
  if (seconds === 0) return {};
  const preStop = sleeps ? { sleep: { seconds } } : { exec: { command: ['sleep', String(seconds)] } };
  return { lifecycle: { preStop } };
}
