import { defineError } from './define.ts';

/** What is wrong with one field of a wish; `typed` is what of a command line says it. */
export interface KeyFault {
  readonly field: string;
  readonly text: string;
  readonly typed?: string | undefined;
}

/** Faults of managing the gateway's keys. */
export const keyErrors = {
  KEY_EXISTS: defineError<{ name: string; source: 'file' | 'made' | 'berth' }>(
    (f) =>
      f.source === 'berth'
        ? `The name "${f.name}" is kept for berth's own keys.`
        : `There is a key "${f.name}" already${f.source === 'file' ? ', in the fleet file' : ''}.`,
    (f) =>
      f.source === 'made'
        ? `Choose another name, or give it a new secret with "berth keys rotate ${f.name}".`
        : 'Choose another name.',
    'usage',
  ),
  KEY_UNKNOWN: defineError<{ name: string; known: readonly string[] }>(
    (f) => `There is no key "${f.name}".`,
    (f) =>
      f.known.length === 0
        ? 'Make one with "berth keys add NAME".'
        : `There is: ${f.known.join(', ')}. "berth keys list" shows all of them.`,
    'usage',
  ),
  KEY_IN_FILE: defineError<{ name: string }>(
    (f) => `The key "${f.name}" stands in the fleet file, and only the file can change it.`,
    (f) =>
      `Change what gateway.keys.${f.name}, or for the master key gateway.masterKey, names, then run "berth apply".`,
    'usage',
  ),
  KEY_EXPIRED: defineError<{ name: string; at: string }>(
    (f) => `The key "${f.name}" expired at ${f.at}: a new secret of it would let nobody in.`,
    (f) => `Take it away with "berth keys revoke ${f.name}", and make another one with "berth keys add".`,
    'usage',
  ),
  KEY_WISH_INVALID: defineError<{ faults: readonly KeyFault[] }>(
    (f) => {
      const faults = f.faults.map(
        ({ field, text, typed }) => `${typed ?? field}: ${text.replace(/\.$/, '')}`,
      );
      return `The key cannot be made: ${faults.join('; ')}.`;
    },
    () => 'See "berth keys add --help".',
    'usage',
  ),
  KEYS_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `The keys in ${f.path} cannot be read: ${f.reason}.`,
    () => 'Put back a copy of the file, or move it away and make new keys with "berth keys add".',
  ),
};
