import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bareSpec } from '../../test/support/bare-spec.ts';
import { makePlace } from '../../test/support/berth.ts';
import { servedCluster } from '../../test/support/kube-server.ts';
import { kubeStore } from '../../test/support/kube-store.ts';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { digestOf } from '../io/given-file.ts';
import type { StartRequest } from '../targets/contract.ts';
import { targetOf } from '../targets/registry.ts';
import { filesName } from './given-files.ts';

const spec: LaunchSpec = {
  ...bareSpec,
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1' }, imageCommand: ['vllm'] },
  args: ['serve', { hole: 'secret', name: 'file-chat' }],
};

const targets = ['kubernetes', 'kserve'].map((kind) => {
  const target = targetOf(kind);
  return { target, options: target.options.parse({ kind, entrypoint: ['serve'] }) };
});

const at = '2026-01-01T00:00:00Z';

/** A replica that is given one text of a file, which is written anew for each. */
function given(target: Mark['target']): {
  path: string;
  markOf: (text: string) => Mark;
  request: (mark: Mark) => StartRequest;
} {
  const place = makePlace();
  onTestFinished(() => place.close());
  const path = join(place.folder, 'chat.jinja');
  return {
    path,
    markOf: (text) => {
      writeFileSync(path, text);
      const file = { given: path, sha256: digestOf(text), bytes: text.length };
      return {
        fleet: 'lab',
        fleetId: 'k3x9',
        deployment: 'chat',
        replica: 0,
        target,
        address: '0.0.0.0',
        port: 8080,
        logFile: '',
        declared: {},
        spec: { ...spec, secrets: { 'file-chat': file } },
      };
    },
    request: (mark) => ({ mark, address: '', port: 8080, logFile: '', stateDir: '', withheld: [] }),
  };
}

function ranText(...marks: Mark[]): string {
  const states = marks.map(({ target, address, port, declared, spec }) => {
    return { at, target, address, port, pinned: false, declared, spec };
  });
  return JSON.stringify({ version: 1, states });
}

function filesIn(names: string[]): string[] {
  return names.filter((name) => name.includes('-files-')).toSorted();
}

for (const { target, options } of targets) {
  test(`${target.kind}: what the engine of before was given outlives a restart, and goes with the state that had it`, async () => {
    const { answer, names } = kubeStore();
    const { world } = await servedCluster(answer);
    const { markOf, request } = given(options);
    const [first, second, third] = [markOf('one'), markOf('two'), markOf('three')];
    const place = first;
    markOf('one');
    await target.create(world, request(first), options);
    await target.record?.keep(world, place, ranText(first), {});
    markOf('two');
    const { instance } = await target.create(world, request(second), options);
    await target.record?.keep(world, place, ranText(first, second), {});
    const both = filesIn(names('configmaps'));
    expect(both).toHaveLength(2);
    await target.restart?.(world, instance);
    expect(filesIn(names('configmaps'))).toEqual(both);

    markOf('three');
    await target.create(world, request(third), options);
    await target.record?.keep(world, place, ranText(second, third), {});
    const later = filesIn(names('configmaps'));
    expect(later).toHaveLength(2);
    expect(later).not.toEqual(both);
  });

  test(`${target.kind}: one that somebody made anew with another text is no reason not to try, since it is made again`, async () => {
    const { answer, names, objects } = kubeStore();
    const { world } = await servedCluster(answer);
    const { markOf, request } = given(options);
    const mark = markOf('one');
    await target.create(world, request(mark), options);
    const [name = ''] = filesIn(names('configmaps'));
    const path = [...objects.keys()].find((one) => one.endsWith(name)) ?? '';
    const live = objects.get(path);
    if (!live) throw new Error('there is no ConfigMap');
    objects.set(path, { ...live, data: { 'file-chat': 'other' } });
    const findings = (await target.preview?.(world, request(mark), options)) ?? [];
    expect(findings.filter(({ severity }) => severity === 'critical')).toEqual([]);
    expect(objects.get(path)?.data).toEqual({ 'file-chat': 'other' });
    await target.create(world, request(mark), options);
    expect(objects.get(path)?.data).toEqual({ 'file-chat': 'one' });
  });
}

test('its name tells the text and not where that lies', () => {
  const { markOf, path } = given({ kind: 'kubernetes' });
  const [one, two] = [markOf('one'), markOf('two')];
  const there = { ...one.spec.secrets['file-chat'], given: `${path}-elsewhere` };
  expect(filesName(two)).not.toBe(filesName(one));
  expect(filesName({ ...one, spec: { ...one.spec, secrets: { 'file-chat': there as never } } })).toBe(
    filesName(one),
  );
});
