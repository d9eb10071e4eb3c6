import { defineError } from './define.ts';

/** Faults of the machine that berth runs on or works for. */
export const hostErrors = {
  PORT_TAKEN: defineError<{ port: number; address: string; holder: string }>(
    (f) => `Port ${f.port} on ${f.address} is held by ${f.holder}.`,
    (f) => `Stop that program, or name another port than ${f.port}.`,
  ),
  FILE_MISSING: defineError<{ path: string; what: string }>(
    (f) => `The ${f.what} ${f.path} does not exist.`,
    () => 'Check the path; a relative path counts from the folder of the file that names it.',
  ),
  FILE_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} cannot be read: ${f.reason}.`,
    () => 'Check the path and the permissions of the user who runs berth.',
  ),
  PROGRAM_MISSING: defineError<{ program: string; needed: string }>(
    (f) => `The program ${f.program} is not on this machine; ${f.needed} needs it.`,
    (f) => `Install ${f.program} and put it on PATH, or name its path in the fleet file.`,
  ),
};
