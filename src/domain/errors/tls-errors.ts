import { defineError } from './define.ts';

/** A certificate, a key or a list of authorities that cannot be used. */
export const tlsErrors = {
  TLS_UNUSABLE: defineError<{
    setting: 'cert' | 'key' | 'clientCa';
    path: string;
    reason: string;
    cure: string;
  }>(
    (f) => `${f.path} cannot be used as the gateway's tls.${f.setting}: ${f.reason}.`,
    (f) => f.cure,
    'usage',
  ),
};
