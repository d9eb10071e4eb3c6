import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { fencesOf, pagePaths } from '../tools/docs/pages.ts';
import { pagesWith, runBlocks } from './docs-runner.ts';
import { importUsualLlama, missingFor, startBox } from './hosts/container-box.ts';
import {
  busybox,
  missingForCluster,
  missingForServices,
  startCluster,
  startServices,
  usualLlama,
} from './hosts/kube-box.ts';
import type { KubeBox, WriteImage } from './hosts/kube-box.ts';
import { findLlamaServer } from './hosts/llama-server.ts';
import { contentOfBytes, startHub } from './support/hub-server.ts';
import type { HubServer } from './support/hub-server.ts';

interface Component {
  readonly there: () => boolean;
  /** What the blocks find in their environment, and how it ends. */
  readonly start?: () => Promise<{ env: Record<string, string>; stop: () => Promise<void> }>;
}

/** Components that blocks tagged `sh live=NAME` may need, and whether they are there. */
const components: Readonly<Record<string, Component>> = {
  embedded: {
    there: () => {
      try {
        createRequire(import.meta.url).resolve('node-llama-cpp/package.json');
        return true;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'ERR_PACKAGE_PATH_NOT_EXPORTED';
      }
    },
  },
  'llama-server': {
    there: () => findLlamaServer() !== null,
    start: async () => {
      const hub = await startSmallHub();
      return { env: { HF_ENDPOINT: hub.url, PATH: dirname(findLlamaServer() ?? '') }, stop: hub.stop };
    },
  },
  docker: {
    there: () => missingFor('docker') === null,
    start: async () => {
      const hub = await startSmallHub();
      const box = await startBox('docker');
      await importUsualLlama(box);
      async function stop(): Promise<void> {
        box.stop();
        await hub.stop();
      }
      return { env: { HF_ENDPOINT: hub.url, DOCKER_HOST: box.host }, stop };
    },
  },
  kubernetes: {
    there: () => missingForCluster() === null,
    start: () => startWithCluster([]),
  },
  // The same, where addresses of Services answer.
  'kube-proxy': {
    there: () => missingForServices() === null,
    start: async () => {
      const { env, box, stop } = await startWithCluster([busybox]);
      const stopServices = await startServices(box);
      return {
        env,
        stop: async () => {
          try {
            stopServices();
          } finally {
            await stop();
          }
        },
      };
    },
  },
};

async function startWithCluster(
  images: WriteImage[],
): Promise<{ env: Record<string, string>; box: KubeBox; stop: () => Promise<void> }> {
  const hub = await startSmallHub();
  const box = await startCluster([usualLlama, ...images]);
  async function stop(): Promise<void> {
    box.stop();
    await hub.stop();
  }
  const programs = process.env['KUBEBUILDER_ASSETS'] ?? '';
  return { env: { HF_ENDPOINT: hub.url, KUBECONFIG: box.kubeconfig, PATH: programs }, box, stop };
}

/** A hub on this machine that has one small model, whatever is asked for. */
async function startSmallHub(): Promise<HubServer> {
  const hub = await startHub();
  const model = join(import.meta.dirname, '../examples/quickstart/model/berth-toy.Q8_0.gguf');
  hub.files.set('small-q4_k_m.gguf', contentOfBytes(readFileSync(model)));
  return hub;
}

function componentOf(info: string): string | undefined {
  return /^sh live=(\S+)/.exec(info)?.[1];
}

test('every component that a block names is known here', () => {
  const names = pagePaths()
    .flatMap(fencesOf)
    .flatMap(({ info }) => componentOf(info) ?? []);
  expect(names.filter((name) => !components[name])).toEqual([]);
});

for (const name of Object.keys(components)) {
  const pages = pagesWith((info) => componentOf(info) === name);
  test.skipIf(!components[name]?.there()).each(pages)(
    `with ${name} here, the blocks of %s do what they say`,
    { timeout: 600_000 },
    async (_, page) => {
      const fences = fencesOf(page).filter(
        ({ info }) => info === 'sh test' || info.startsWith('yaml fleet') || componentOf(info) === name,
      );
      const started = await components[name]?.start?.();
      onTestFinished(() => started?.stop());
      expect(await runBlocks(fences, started?.env)).toEqual([]);
    },
  );
}
