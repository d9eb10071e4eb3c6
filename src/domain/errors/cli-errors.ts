import { defineError } from './define.ts';

/** Faults of what was typed. */
export const cliErrors = {
  USAGE: defineError<{ detail: string; command: string }>(
    (f) => f.detail,
    (f) => `See "${['berth', f.command, '--help'].filter((word) => word !== '').join(' ')}".`,
    'usage',
  ),
  NOT_BUILT: defineError<{ what: string; path: string }>(
    (f) => `${f.what} is not built: ${f.path} does not exist.`,
    () => 'Run "npm run build" in the clone.',
  ),
};
