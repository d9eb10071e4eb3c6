import type http from 'node:http';

/** Has `end` hear of a signal as long as a request is open: one that has no connection yet is not ended by its signal. */
export function endWith(
  signal: AbortSignal,
  outgoing: http.ClientRequest,
  end: (reason: Error) => void,
): void {
  function onAbort(): void {
    end(signal.reason as Error);
  }
  signal.addEventListener('abort', onAbort, { once: true });
  outgoing.once('close', () => signal.removeEventListener('abort', onAbort));
}
