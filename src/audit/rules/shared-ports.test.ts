import { expect, test } from 'vitest';
import { healthyObservation } from '../../../test/support/healthy-observation.ts';
import { Observation } from '../../domain/audit/observation.ts';
import { findingsIn } from '../audit.ts';

const place = { address: '0.0.0.0', port: 8080, netns: '4026531840', here: true };

/** Kimi and mistral at one place, each by a socket of its own, in containers of the machine's network. */
function conflicts(change: (draft: Observation) => void): string[] {
  const draft = structuredClone<Observation>(healthyObservation());
  const [host] = draft.hosts;
  const [first, second] = host?.containers ?? [];
  const [kimi, mistral] = host?.servers ?? [];
  if (!host || !first || !second || !kimi || !mistral) throw new Error('The healthy machine has changed.');
  for (const [at, server, container] of [
    [0, kimi, first],
    [1, mistral, second],
  ] as const) {
    const id = `${at}`.padStart(64, 'a');
    Object.assign(server, { endpoints: [place], mark: null });
    server.owner = { kind: 'container', name: `docker ${id}`, user: 'root' };
    Object.assign(container, { id, shares: ['network'], published: [] });
    Object.assign(container.starts, { host: '0.0.0.0', port: 8080 });
    host.listeners.push({ ...place, uid: 0, pid: server.process.pid, program: 'llama-server' });
  }
  change(draft);
  return findingsIn(Observation.parse(draft)).flatMap(({ rule, object }) =>
    rule === 'port-conflict' ? [object] : [],
  );
}

test('two containers at one port of the machine are told once, by their definitions', () => {
  expect(conflicts(() => {})).toEqual(['container mistral and container qwen']);
});

test('two servers at one port are told unless they are of one model', () => {
  function apart(modelId: string): string[] {
    return conflicts(({ hosts: [host] }) => {
      host?.containers.splice(0);
      Object.assign(host?.servers[1] ?? {}, { modelId, model: '/other/name.gguf' });
    });
  }
  expect(apart('1:1')).toHaveLength(1);
  expect(apart('1:18400')).toEqual([]);
});
