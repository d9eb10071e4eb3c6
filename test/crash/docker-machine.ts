import { join } from 'node:path';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { importLlama, llamaImage, startBox } from '../hosts/container-box.ts';
import type { CrashMachine } from './machine.ts';

/** Engines as containers of a dockerd of its own, with the real llama-server in them. */
export async function dockerMachine(folder: string): Promise<CrashMachine> {
  const box = await startBox('docker');
  const { entrypoint, backend } = await importLlama(box);
  await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(folder, 'm.gguf') });
  const target = `target: {kind: docker, image: "${llamaImage}", pull: never, entrypoint: ${JSON.stringify(entrypoint)}}`;
  return {
    name: 'docker',
    folder,
    enter: [],
    env: { DOCKER_HOST: box.host },
    more: ['models: {toy: {source: ./m.gguf}}'],
    deployment: ({ word, slots, port, crashes, ownKey }) => {
      const args = crashes ? ', args: ["--no-such-flag"]' : '';
      const engine = `engine: {kind: llama.cpp, alias: "${word}", slots: ${slots}, context: 256, threads: 1, cacheRam: 0, warmup: false, startTimeout: 60s, env: {GGML_BACKEND_PATH: ${backend}}${args}}`;
      return `{model: toy, ${port === null ? '' : `port: ${port}, `}${ownKey ? 'ownKey: true, ' : ''}${target}, ${engine}}`;
    },
    startStranger: async (word) => {
      const body = {
        Image: llamaImage,
        Entrypoint: entrypoint,
        Cmd: ['-m', '/m.gguf', '--alias', word, '-c', '256'],
        Env: [`GGML_BACKEND_PATH=${backend}`],
        HostConfig: { Binds: [`${join(folder, 'm.gguf')}:/m.gguf:ro`] },
      };
      const made = await box.api.ask('POST', '/containers/create?name=stranger', { body });
      const { Id: id } = made.json as { Id: string };
      await box.api.ask('POST', `/containers/${id}/start`);
      return async () => {
        await box.api.ask('DELETE', `/containers/${id}?force=1`);
      };
    },
    objects: async () => {
      const { json } = await box.api.ask('GET', '/containers/json?all=1');
      const names = (json as { Names: string[] }[]).flatMap(({ Names }) => Names);
      return names.filter((name) => name !== '/stranger').map((name) => `container ${name}`);
    },
    stop: box.stop,
  };
}
