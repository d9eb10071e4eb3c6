import { readFileSync } from 'node:fs';
import { freePorts, ownPorts } from '../../support/berth.ts';
import { findLlamaServer } from '../llama-server.ts';
import type { SuiteTarget } from './contract.ts';
import { embeddedDeployment, llamaDeployment } from './engines.ts';
import { filesIn, isAmong, listenersIn, portsIn, processesOf } from './inventory.ts';

/** Plain processes of this machine. */
export const processTarget: SuiteTarget = {
  name: 'process',
  missing: () => (findLlamaServer() === null ? 'no llama-server' : null),
  start: async (folder) => {
    const [pinned = 0] = await freePorts(1);
    const hosts = ownPorts();
    const ports = [...portsIn(hosts), pinned];
    return {
      before: [],
      beforeThere: [],
      env: {},
      more: [hosts],
      deployments: [
        llamaDeployment({ name: 'llama' }),
        llamaDeployment({ name: 'pinned', port: pinned }),
        embeddedDeployment({ name: 'embedded' }),
      ],
      kill: ({ pid }) => {
        process.kill(pid ?? 0, 'SIGKILL');
        return Promise.resolve();
      },
      inventory: () => [
        ...processesOf(folder),
        ...listenersIn(readFileSync('/proc/net/tcp', 'utf8')).filter((line) => isAmong(line, ports)),
        ...filesIn(folder),
      ],
      stop: () => {},
    };
  },
};
