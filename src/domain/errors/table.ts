import { auditErrors } from './audit-errors.ts';
import { benchErrors } from './bench-errors.ts';
import { cliErrors } from './cli-errors.ts';
import type { ExitName } from '../exit-codes.ts';
import type { ErrorKind } from './define.ts';
import { dockerErrors } from './docker-errors.ts';
import { gatewayErrors } from './gateway-errors.ts';
import { engineErrors } from './engine-errors.ts';
import { fleetErrors } from './fleet-errors.ts';
import { engineInstallErrors } from './engine-install-errors.ts';
import { hostErrors } from './host-errors.ts';
import { keyErrors } from './key-errors.ts';
import { kubeErrors } from './kube-errors.ts';
import { modelErrors } from './model-errors.ts';
import { pullErrors } from './pull-errors.ts';
import { serverErrors } from './server-errors.ts';
import { sshErrors } from './ssh-errors.ts';
import { systemdErrors } from './systemd-errors.ts';
import { tlsErrors } from './tls-errors.ts';

/** Every error berth can end with. A subject has a file beside this one; its codes are unique over all of them. */
export const errorTable = {
  ...auditErrors,
  ...benchErrors,
  ...cliErrors,
  ...dockerErrors,
  ...engineErrors,
  ...fleetErrors,
  ...engineInstallErrors,
  ...gatewayErrors,
  ...hostErrors,
  ...keyErrors,
  ...kubeErrors,
  ...modelErrors,
  ...pullErrors,
  ...serverErrors,
  ...sshErrors,
  ...systemdErrors,
  ...tlsErrors,
};

export type ErrorCode = keyof typeof errorTable;
export type ErrorFacts<Code extends ErrorCode> =
  (typeof errorTable)[Code] extends ErrorKind<infer Facts> ? Facts : never;

/** How a command ends with an error of this code; null for a text that is none. */
export function exitOfCode(code: string): ExitName | null {
  return Object.entries(errorTable).find(([known]) => known === code)?.[1].exit ?? null;
}
