import { defineError } from './define.ts';
import { machineText } from './machine-text.ts';

/** Faults of running engines as units of systemd. */
export const systemdErrors = {
  SYSTEMD_UNREACHABLE: defineError<{ scope: string; reason: string }>(
    (f) => `The ${f.scope} manager of systemd cannot be reached: ${f.reason}.`,
    (f) =>
      f.scope === 'user'
        ? 'Log in as that user, or let "loginctl enable-linger" keep its manager running; or set "become: sudo" on the host for system units; or use the target "process".'
        : 'Use the target "process" on a machine that systemd does not run.',
  ),
  SYSTEMD_FAILED: defineError<{ unit: string; what: string; reason: string }>(
    (f) => `The unit ${f.unit} could not be ${f.what}: ${f.reason}.`,
    (f) => `See "systemctl status ${f.unit}", then run "berth apply" again.`,
  ),
  UNIT_FOREIGN: defineError<{ unit: string; path: string }>(
    (f) => `A unit ${f.unit} is there already and is not this fleet's: ${f.path}.`,
    () => 'Name another one with "target.unit" in the fleet file, or remove that unit yourself.',
  ),
  UNIT_NOT_READ: defineError<{ unit: string }>(
    (f) =>
      `The files of the unit ${f.unit} have changed since systemd read them: to mark it would bring that change in.`,
    (f) => `See "systemctl cat ${f.unit}", run "systemctl daemon-reload" yourself, then adopt it again.`,
  ),
  UNIT_ELSEWHERE: defineError<{ unit: string; path: string; folder: string }>(
    (f) => `The unit ${f.unit} lies in ${f.path || 'no file'}, where a package puts its own.`,
    (f) => `Copy it to ${f.folder} first, and run "systemctl daemon-reload".`,
  ),
  QUADLET_MISSING: defineError<{
    deployment: string;
    machine: string;
    version: string | null;
    sought: string;
  }>(
    (f) =>
      `Podman makes no units of containers on ${machineText(f.machine)}, which ${f.deployment} wants: ${f.version === null ? 'podman is not installed' : `podman ${f.version} is there without ${f.sought}`}.`,
    (f) =>
      `Install podman 5 or newer, which brings that generator (the first came with 4.4), or run ${f.deployment} by the target "docker", which needs none.`,
  ),
  BECOME_REFUSED: defineError<{ reason: string }>(
    (f) => `"sudo -n" was refused: ${f.reason}.`,
    () =>
      'Allow this user sudo without a password, or take "become: sudo" off the host to have what the user may do alone.',
  ),
};
