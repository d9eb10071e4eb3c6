import type { Finding } from '../finding.ts';
import { defineError } from './define.ts';

/** Faults between a deployment, the engine program that is to serve it and the target that is to run it. */
export const engineErrors = {
  ENGINE_UNKNOWN: defineError<{ kind: string; known: readonly string[] }>(
    (f) => `There is no engine named ${f.kind}.`,
    (f) => `Name one of: ${f.known.join(', ')}.`,
    'usage',
  ),
  ENGINE_FLAGS_UNKNOWN: defineError<{
    program: string;
    unknown: readonly { flag: string; nearest: string | null }[];
  }>(
    (f) => `${f.program} does not know ${f.unknown.map((u) => u.flag).join(', ')}.`,
    (f) => {
      const hints = f.unknown.flatMap((u) => (u.nearest ? [`${u.flag}: did you mean ${u.nearest}?`] : []));
      return [
        ...hints,
        `"${f.program} --help" lists what this build takes; correct engine.args in the fleet file.`,
      ].join(' ');
    },
    'usage',
  ),
  TARGET_REFUSES: defineError<{ deployment: string; target: string; reason: string }>(
    (f) => `The target ${f.target} cannot run ${f.deployment}: ${f.reason}.`,
    (f) => `Give ${f.deployment} another target or another engine.`,
    'usage',
  ),
  DEPLOYMENTS_FAULTY: defineError<{
    faults: readonly { deployment: string; code: string; message: string; cure: string }[];
  }>(
    (f) =>
      `${countOf(f.faults)} cannot be started as the file has them:\n${f.faults.map((one) => `  ${one.deployment}: ${one.message}`).join('\n')}`,
    (f) => [...new Set(f.faults.map(({ cure }) => cure))].join(' '),
    'usage',
  ),
  GATEWAY_NOT_WRITTEN: defineError<{ format: string; reason: string }>(
    (f) => `The gateway cannot be written as ${f.format}: ${f.reason}.`,
    () => 'Change the fleet file or the command line as that says, or leave --gateway out.',
    'usage',
  ),
  FORMAT_NOT_FOR_USERS: defineError<{ format: string }>(
    (f) => `Files of ${f.format} are for a whole machine or a cluster, and not for one user.`,
    () => 'Leave out --user-home, or take --format systemd.',
    'usage',
  ),
  FORMAT_REFUSES: defineError<{ deployment: string; format: string; reason: string }>(
    (f) => `${f.deployment} cannot be written as ${f.format}: ${f.reason}.`,
    (f) => `Name the deployments that can be, or give ${f.deployment} another engine.`,
    'usage',
  ),
  HOSTS_NOT_PRINTED: defineError<{ hosts: readonly string[] }>(
    (f) => `What is for the hosts ${f.hosts.join(', ')} is not printed as one.`,
    () => 'Write a folder for each with "--out FOLDER", or take one of them with "--host NAME".',
    'usage',
  ),
  RENDER_OVERWRITES: defineError<{ files: readonly string[] }>(
    (f) => `No render wrote ${f.files.join(', ')}, which would be written over.`,
    () => 'Name a folder of its own with "--out", or move what is there away.',
    'usage',
  ),
  RUNTIME_CONTRADICTS: defineError<{ runtime: string; deployments: readonly [string, string] }>(
    (f) => `The runtime ${f.runtime} would be another one for ${f.deployments.join(' and for ')}.`,
    () => 'Let both say the same of image, program and start, or give one of them another target.runtime.',
    'usage',
  ),
  TARGET_FORESEES: defineError<{ findings: readonly Finding[] }>(
    (f) => f.findings.map((one) => `${one.object}: ${one.message}`).join('\n'),
    (f) => f.findings.map((one) => one.cure).join('\n'),
  ),
  ENGINE_FLAG_TOO_NEW: defineError<{ program: string; flag: string; version: string; since: string }>(
    (f) => `${f.program} ${f.version} does not know ${f.flag}, which came with ${f.since}.`,
    (f) => `Leave its key out of the fleet file, or take version ${f.since} or later.`,
    'usage',
  ),
  ENGINE_TAKES_NO_KEY: defineError<{ deployment: string; engine: string }>(
    (f) =>
      `The deployment ${f.deployment} asks for a key of its own, and nothing would hand it to the engine.`,
    (f) =>
      f.engine === 'command'
        ? 'Put {key-file} into its command or env, where the program takes the path of a file with its key.'
        : `Leave out "ownKey", or use an engine that takes a key by file.`,
    'usage',
  ),
  ENGINE_NEEDS_MODEL: defineError<{ deployment: string; engine: string }>(
    (f) => `The deployment ${f.deployment} names no model, and the engine ${f.engine} needs one.`,
    (f) => `Add "model:" to the deployment ${f.deployment}.`,
    'usage',
  ),
};

function countOf(faults: readonly { deployment: string }[]): string {
  const { size } = new Set(faults.map(({ deployment }) => deployment));
  return size === 1 ? 'One deployment' : `${size} deployments`;
}
