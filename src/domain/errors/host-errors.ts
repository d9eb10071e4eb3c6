import { defineError } from './define.ts';
import { machineText } from './machine-text.ts';

/** Faults of the machine that berth runs on or works for. */
export const hostErrors = {
  PORT_TAKEN: defineError<{ port: number; address: string; holder: string }>(
    (f) => `Port ${f.port} on ${f.address} is held by ${f.holder}.`,
    (f) =>
      `Stop that program, or name another port than ${f.port} (gateway.listen, console.listen, or "port" of a deployment).`,
  ),
  FILE_MISSING: defineError<{ path: string; what: string }>(
    (f) => `The ${f.what} ${f.path} does not exist.`,
    () => 'Check the path; a relative path counts from the folder of the file that names it.',
  ),
  FILE_UNREADABLE: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} cannot be read: ${f.reason}.`,
    () => 'Check the path and the permissions of the user who runs berth.',
  ),
  FILE_UNFIT: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} cannot be given to an engine: it ${f.reason}.`,
    () =>
      'A text of up to 1 MB beside the fleet file is given to the engine; anything else has to lie on its host: write the path that it has there, beginning with "/".',
  ),
  GIVEN_FILE_MISSING: defineError<{ path: string }>(
    (f) => `The file ${f.path} does not exist.`,
    () =>
      'Check the path: one that an engine is given lies beside the fleet file. For one that its image or host has, write the whole path, beginning with "/", or pass it through args.',
  ),
  GIVEN_FILE_CHANGED: defineError<{ path: string; digest: string }>(
    (f) => `${f.path} no longer holds what the engine is to be given (${f.digest}).`,
    () => 'Put the content of then back into the file, or run "berth apply" for that of now.',
  ),
  WRITE_DENIED: defineError<{ path: string; reason: string }>(
    (f) => `${f.path} could not be written: ${f.reason}.`,
    () =>
      'Run berth as a user who may write there, or name another folder with --state-dir ("berth render": with --out); units of the system need "become: sudo" on the host.',
  ),
  DISK_FULL: defineError<{ path: string }>(
    (f) => `${f.path} could not be written: no space is left on that disk.`,
    () => 'Free some space there and run the same command again.',
  ),
  PROGRAM_MISSING: defineError<{ program: string; needed: string; machine?: string }>(
    (f) => `The program ${f.program} is not on ${machineText(f.machine)}; ${f.needed} needs it.`,
    (f) => `Install ${f.program} and put it on PATH, or name its path in the fleet file.`,
  ),
  NOT_ENDING: defineError<{ object: string; holds: string }>(
    (f) => `${f.object} does not end: ${f.holds}.`,
    () => 'See to what holds it, then run the same command again: it goes on where it stopped.',
  ),
  PROGRAM_NOT_RUN: defineError<{ program: string; deployment: string; reason: string }>(
    (f) => `${f.program}, which ${f.deployment} needs, cannot be run: ${f.reason}.`,
    (f) =>
      `Run "${f.program} --help" by hand as the same user and mend what it says, or name another program.`,
  ),
};
