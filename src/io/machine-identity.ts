import { readBootId, readOwnPidns } from './procfs.ts';

let own: string | undefined;

/** Tells machines apart until they boot again, as each tells it of itself; containers of one machine are several. */
export function machineIdentity(): string {
  return (own ??= `${readBootId('/proc')} ${readOwnPidns('/proc') ?? ''}`);
}
