import { BerthError } from '../../domain/errors/berth-error.ts';
import { pullErrors } from '../../domain/errors/pull-errors.ts';

/** Why a model could not be started, as a sentence for clients: without paths, ports and the engine's output, which are for the log. */
export function startReason(error: unknown): string {
  if (error instanceof BerthError && error.code in pullErrors)
    return 'its model has not been fetched and could not be; "berth pull" on the machine of the gateway tells why.';
  switch (error instanceof BerthError ? error.code : null) {
    case 'ENGINE_CRASHED':
      return 'its engine ended while starting.';
    case 'ENGINE_NOT_READY':
      return 'its engine did not answer in time.';
    case 'ENGINE_PORT_TAKEN':
    case 'PORT_TAKEN':
    case 'NO_FREE_PORT':
      return 'another program holds its port.';
    case 'PROGRAM_MISSING':
      return 'the program of its engine is missing.';
    case 'FILE_MISSING':
      return 'its model file is missing.';
    case 'LOCKED':
      return 'something else changes engines on this machine.';
    default:
      return 'its engine could not be started.';
  }
}
