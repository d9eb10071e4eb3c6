import { expect, test } from 'vitest';
import { healthyObservation } from '../../../test/support/healthy-observation.ts';
import { Observation } from '../../domain/audit/observation.ts';
import { findingsIn } from '../audit.ts';

type Change = (draft: Observation) => void;

/** The server of qwen without a mark, as it is before it is adopted. */
function unmarked(change: Change): string[] {
  const draft = structuredClone<Observation>(healthyObservation());
  const server = draft.hosts[0]?.servers.find((one) => one.mark?.deployment === 'qwen');
  Object.assign(server ?? {}, { mark: null });
  change(draft);
  return findingsIn(Observation.parse(draft)).flatMap(({ rule, message }) =>
    rule === 'unmanaged' ? [message] : [],
  );
}

function external(draft: Observation, url: string): void {
  const stated = draft.fleet?.deployments.find(({ name }) => name === 'qwen');
  Object.assign(stated ?? {}, { external: true, engine: 'openai', options: { kind: 'openai', url } });
}

test('a server that a fleet does not know runs beside it, and one that it reaches does not', () => {
  const beside = [expect.stringContaining('which does not know it')];
  expect(unmarked(() => {})).toEqual(beside);
  expect(unmarked((draft) => external(draft, 'http://127.0.0.1:9999'))).toEqual(beside);
  expect(unmarked((draft) => external(draft, 'http://127.0.0.1:8000'))).toEqual([]);
});

test('a server that the fleet reaches and that somebody started by hand is told, since nothing starts it again', () => {
  function owned(kind: 'session' | 'system-unit'): string[] {
    return unmarked((draft) => {
      external(draft, 'http://127.0.0.1:8000');
      const server = draft.hosts[0]?.servers.find((one) => one.model?.includes('Qwen'));
      Object.assign(server ?? {}, { owner: { kind, name: 'x', user: 'root' } });
    });
  }
  expect(owned('session')).toEqual([
    expect.stringContaining('reaches it as qwen, and nothing starts it again'),
  ]);
  expect(owned('system-unit')).toEqual([]);
});

test('a server in a network of its own that was seen to be reached is known, too', () => {
  function reached(pid: number): Change {
    return (draft) => {
      external(draft, 'http://10.42.0.5:8000');
      if (draft.fleet) Object.assign(draft.fleet, { reached: [{ host: 'local', pid, deployment: 'qwen' }] });
    };
  }
  const { hosts } = healthyObservation();
  const pid = hosts[0]?.servers.find((one) => one.mark?.deployment === 'qwen')?.process.pid ?? 0;
  expect(unmarked(reached(pid))).toEqual([]);
  expect(unmarked(reached(pid + 1))).toHaveLength(1);
});

test("a pod of the fleet's own Deployment is the fleet's, and that of another one is not", () => {
  function ofDeployment(fleet: string): Change {
    return (draft) => {
      const server = draft.hosts[0]?.servers.find((one) => one.mark === null);
      Object.assign(server ?? {}, { owner: { kind: 'pod', name: 'pod-uid', user: 'root' } });
      const labels = { app: 'qwen-0' };
      const namespace = 'own';
      const command = ['vllm', 'serve', 'Qwen/Qwen3-32B'];
      const pod = { containers: [{ name: 'engine', image: 'vllm/vllm-openai:v0.11.0', command }] };
      draft.clusters[0]?.objects.push(
        {
          kind: 'Deployment',
          metadata: {
            name: 'qwen',
            namespace,
            labels: { 'berth.dev/fleet': fleet },
            annotations: { 'berth.dev/mark': JSON.stringify({ deployment: 'qwen', replica: 0 }) },
          },
          spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
        },
        { kind: 'Pod', metadata: { name: 'qwen-x', namespace, uid: 'pod-uid', labels }, spec: pod },
      );
    };
  }
  expect(unmarked(ofDeployment('lab'))).toEqual([]);
  expect(unmarked(ofDeployment('other'))).toHaveLength(1);
});
