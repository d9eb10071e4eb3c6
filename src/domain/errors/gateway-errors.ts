import { defineError } from './define.ts';

/** Faults of the gateway process itself; what it answers to clients is in the gateway's own table. */
export const gatewayErrors = {
  GATEWAY_CONFIG_INVALID: defineError<{ path: string; faults: readonly string[] }>(
    (f) => `The gateway's config ${f.path} is not valid: ${f.faults.join('; ')}.`,
    () => 'Correct the file; "berth up" writes a valid one from the fleet file.',
    'usage',
  ),
  GATEWAY_NAME_UNKNOWN: defineError<{ name: string }>(
    (f) => `The gateway knows no "${f.name}".`,
    () => 'Check the name; "berth status" lists deployments.',
    'usage',
  ),
  REQUEST_UNKNOWN: defineError<{ request: string }>(
    (f) => `No request "${f.request}" is under way or kept by the gateway.`,
    () => 'It has ended, or its capture has made room for others; list them again.',
    'usage',
  ),
};
