import { expect, test } from 'vitest';
import { fakeEngine, isRunning, makePlace, ownPorts, until } from '../support/berth.ts';

interface Status {
  readonly deployments: { readonly name: string; readonly replicas: { state: string; pid: number }[] }[];
}

test('a deployment is stopped, started and restarted by name, and no other one is touched', async () => {
  const place = makePlace();
  try {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    const engine = `{kind: command, command: ${command}}`;
    place.write(`version: 1
fleet: lab
${ownPorts()}
deployments:
  a: {engine: ${engine}}
  b: {engine: ${engine}}
`);
    async function replicaOf(name: string): Promise<{ state: string; pid: number }> {
      const status: Status = (await place.berth('status', '--json')).json();
      const [replica] = status.deployments.find((one) => one.name === name)?.replicas ?? [];
      if (!replica) throw new Error(`There is no ${name}.`);
      return replica;
    }
    expect((await place.berth('apply')).code).toBe(0);
    const [a, b] = [await replicaOf('a'), await replicaOf('b')];
    const stopped = await place.berth('stop', 'a');
    expect(stopped.stdout).toContain('Stopped: a');
    await until(() => !isRunning(a.pid), 'a to end');
    expect((await replicaOf('a')).state).toBe('stopped');
    expect((await place.berth('start', 'a')).code).toBe(0);
    const again = await replicaOf('a');
    expect(again.state).toBe('ready');
    expect((await place.berth('restart', 'a', '--yes')).code).toBe(0);
    expect((await replicaOf('a')).pid).not.toBe(again.pid);
    expect((await replicaOf('b')).pid).toBe(b.pid);
    expect((await place.berth('restart', 'c')).code).toBe(2);
    expect((await place.berth('down')).code).toBe(0);
  } finally {
    await place.close();
  }
});
