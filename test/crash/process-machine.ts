import { spawn } from 'node:child_process';
import { fakeEngine } from '../support/berth.ts';
import type { CrashMachine, DeploymentOptions } from './machine.ts';

/** Engines as processes of this machine. */
export function processMachine(folder: string): CrashMachine {
  return {
    name: 'process',
    folder,
    enter: [],
    env: {},
    more: [],
    deployment: scripted(''),
    startStranger: (word) => {
      const stranger = spawn(process.execPath, [fakeEngine, '0', word], { stdio: 'ignore' });
      return Promise.resolve(() => {
        stranger.kill('SIGKILL');
        return Promise.resolve();
      });
    },
    objects: () => [],
    stop: () => {},
  };
}

/** A scripted server as engine, with what else its deployment says. */
export function scripted(more: string): (options: DeploymentOptions) => string {
  return ({ word, slots, port, crashes, ownKey }) => {
    const mode = crashes ? ['--crash'] : ownKey ? ['--keyed', '{key-file}'] : ['--plain'];
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', ...mode, word]);
    const engine = `engine: {kind: command, command: ${command}, slots: ${slots}, stopGrace: 2s, startTimeout: 60s}`;
    return `{${port === null ? '' : `port: ${port}, `}${ownKey ? 'ownKey: true, ' : ''}${more}${engine}}`;
  };
}
