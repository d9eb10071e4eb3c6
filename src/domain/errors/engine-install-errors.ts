import { defineError } from './define.ts';

/** Faults of `berth engine add`. */
export const engineInstallErrors = {
  ENGINE_INSTALL_FAILED: defineError<{ engine: string; folder: string; detail: string; cure: string }>(
    (f) => `The ${f.engine} engine could not be installed into ${f.folder}: ${f.detail}`,
    (f) => f.cure,
  ),
  ENGINE_NOT_ADDABLE: defineError<{ engine: string; known: readonly string[] }>(
    (f) => `Berth installs no engine "${f.engine}".`,
    (f) =>
      `It installs: ${f.known.join(', ')}. Other engines are installed by their own ways and named in the fleet file.`,
    'usage',
  ),
};
