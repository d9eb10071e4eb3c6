import { defineError } from './define.ts';

/** Faults that the control API answers; `src/server/error-reply.ts` gives each its HTTP status. */
export const serverErrors = {
  CONTROL_TOKEN_REFUSED: defineError<{ given: 'none' | 'wrong' }>(
    (f) => (f.given === 'none' ? 'The request carries no token.' : 'The token of the request is not valid.'),
    () => 'Open the console by the address that "berth console" prints, with its "#token=" part.',
  ),
  CONTROL_HOST_REFUSED: defineError<{ host: string }>(
    (f) => `The host name "${f.host}" is not one of this server's.`,
    () => 'Use the address that "berth console" prints.',
  ),
  CONTROL_ORIGIN_REFUSED: defineError<{ origin: string }>(
    (f) => `Pages of ${f.origin} may not use this server.`,
    () => 'Use the console itself, or call the API from a program that sends no Origin header.',
  ),
  CONTROL_NOT_FOUND: defineError<{ what: string }>(
    (f) => `There is no ${f.what} here.`,
    () => 'Check the name; "berth status" and "berth runs" list what there is.',
  ),
  CONTROL_BODY_REFUSED: defineError<{ reason: string }>(
    (f) => `The body of the request was refused: ${f.reason}.`,
    () => 'Correct the body; docs/usage/console.md says what there is.',
  ),
  CONTROL_BODY_TOO_LARGE: defineError<{ reason: string }>(
    (f) => `The body of the request was refused: ${f.reason}`,
    () => 'Send a smaller one.',
  ),
  EXPERIMENT_UNKNOWN: defineError<{ name: string; known: readonly string[] }>(
    (f) => `There is no experiment "${f.name}" in the fleet file.`,
    (f) => (f.known.length === 0 ? 'It has none.' : `There is: ${f.known.join(', ')}.`),
  ),
  EXPERIMENT_STORE_ABSENT: defineError<{ name: string; reason: string }>(
    (f) =>
      `The counts of the experiment "${f.name}" lie in the store that gateways share, which cannot be reached: ${f.reason}.`,
    () => 'Try again when it is there; nothing was forgotten.',
  ),
  CONTROL_FAULT: defineError<{ reason: string }>(
    (f) => `The control server failed: ${f.reason}.`,
    () => 'Read the log of "berth up"; restarting it restarts no engine.',
  ),
  CONSOLE_CLOSED: defineError<{ fleet: string }>(
    (f) => `No console is open for fleet ${f.fleet}.`,
    () => 'Open it with "berth up".',
    'targetDown',
  ),
  GATEWAY_ABSENT: defineError<Record<never, never>>(
    () => 'No gateway is running for this fleet.',
    () => 'Start it with "berth up".',
  ),
  GATEWAY_UNREACHABLE: defineError<{ url: string; reason: string }>(
    (f) => `The gateway at ${f.url} does not answer: ${f.reason}.`,
    () => 'Look at "berth status" and the log of "berth up".',
    'targetDown',
  ),
};
