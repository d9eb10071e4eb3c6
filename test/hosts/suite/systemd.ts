import { dirname } from 'node:path';
import { findLlamaServer } from '../llama-server.ts';
import { missingForSystemd, startSystemdBox } from '../systemd-box.ts';
import type { SystemdBox } from '../systemd-box.ts';
import type { SuiteTarget } from './contract.ts';
import { embeddedDeployment, llamaDeployment } from './engines.ts';
import { isKept, listenersIn } from './inventory.ts';

/** Units of a systemd that is the first process of a machine of its own. */
export const systemdTarget: SuiteTarget = {
  name: 'systemd',
  missing: () => {
    const lacks = missingForSystemd();
    if (lacks !== '') return `${lacks} is missing`;
    return findLlamaServer() === null ? 'no llama-server' : null;
  },
  start: (folder) => {
    const cache = dirname(dirname(findLlamaServer() ?? ''));
    const box = startSystemdBox([folder, cache]);
    // It is below root's home, which units do not see.
    const target = `{kind: systemd, unit: {Service: {BindReadOnlyPaths: "${cache}"}}}`;
    return Promise.resolve({
      before: [...box.before, 'sh', '-c', 'cd "$0" && exec "$@"', folder],
      beforeThere: box.before,
      env: {},
      more: ['hosts: {local: {ports: 18400-18440}}'],
      deployments: [
        llamaDeployment({ name: 'llama', target }),
        llamaDeployment({ name: 'pinned', target, port: 18500 }),
        embeddedDeployment({ name: 'embedded', target: '{kind: systemd}' }),
      ],
      kill: ({ pid }) => {
        box.enter('kill', '-9', String(pid));
        return Promise.resolve();
      },
      inventory: () => inventory(box, folder),
      stop: box.stop,
    });
  },
};

/** All of the machine: it has nothing else to do. */
export function inventory(box: SystemdBox, folder: string): string[] {
  function lines(command: string): string[] {
    const found = box.enter('sh', '-c', `${command}; true`).stdout.split('\n');
    return found.filter((line) => line !== '').toSorted();
  }
  const paths = ['/etc', '/run/systemd/system', '/run/systemd/generator', '/var/cache', '/var/lib', '/opt'];
  return [
    ...lines('systemctl list-units --all --plain --no-legend --type=service,timer,path | cut -d" " -f1')
      // Systemd's own come and go.
      .filter((line) => !/^(systemd-|user[@-])/.test(line))
      .map((line) => `unit ${line}`),
    ...lines(`find ${[...paths, `'${folder}'`].join(' ')} ! -type d 2>/dev/null`)
      .map((line) => `file ${line}`)
      .filter((line) => !isKept(line)),
    ...lines('find /sys/fs/cgroup/systemd /sys/fs/cgroup/memory -type d')
      // A login on a console that is not there ends and is started again.
      .filter((line) => !/\/(systemd-|user-|console-getty|init\.scope)/.test(line))
      .map((line) => `cgroup ${line}`),
    ...listenersIn(lines('cat /proc/net/tcp').join('\n')),
    ...lines('ps -eo args --no-headers')
      .filter(
        (line) =>
          !/^(ps|sh|cut|\S*agetty|\(agetty\)|\/lib\/systemd|\/usr\/lib\/systemd|\(sd-pam\))/.test(line),
      )
      .map((line) => `process ${line}`),
  ];
}
