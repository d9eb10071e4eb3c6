import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { missingFor, startBox } from './container-box.ts';
import type { ContainerBox, ContainerEngine } from './container-box.ts';
import { startPrivateRegistry } from './private-registry.ts';
import type { PrivateRegistry } from './private-registry.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const user = 'robot';
const password = 'a-password:of?the+registry';
const basic = Buffer.from(`${user}:${password}`).toString('base64');

describe.each<ContainerEngine>(['docker', 'podman'])('a registry that wants a login, with %s', (engine) => {
  const missing = missingFor(engine);
  const why = missing === null ? '' : ` (skipped: ${missing})`;
  let box: ContainerBox;
  let registry: PrivateRegistry;
  let place: Place;
  let image: string;

  beforeAll(async () => {
    if (missing !== null) return;
    registry = await startPrivateRegistry({ user, password });
    box = await startBox(engine, { registry: registry.place });
  });
  afterAll(() => {
    box?.stop();
    registry?.close();
  });

  beforeEach(async () => {
    if (missing !== null) return;
    place = makePlace();
    place.env['DOCKER_HOST'] = box.host;
    place.env['DOCKER_CONFIG'] = join(place.folder, 'docker');
    mkdirSync(place.env['DOCKER_CONFIG']);
    image = `${registry.place}/team/${randomBytes(4).toString('hex')}:one`;
    const network = engine === 'podman' ? ', network: host' : '';
    place.write(
      [
        'version: 1',
        'fleet: lab',
        ownPorts(),
        'gateway: {listen: ["127.0.0.1:0"]}',
        'console: {listen: "127.0.0.1:0"}',
        'deployments:',
        `  toy: {engine: {kind: command, command: [serve, "{port}"]}, target: {kind: docker${network}, image: "${image}", entrypoint: [serve]}}`,
      ].join('\n'),
    );
  });
  afterEach(async () => {
    if (missing !== null) return;
    await place.berth('down');
    await place.close();
  });

  async function apply(): Promise<string> {
    const { stdout, stderr } = await place.berth('apply', '--yes');
    expect(stdout + stderr).not.toContain(password);
    expect(stdout + stderr).not.toContain(basic);
    return stdout + stderr;
  }

  async function isThere(): Promise<boolean> {
    return (await box.api.ask('GET', `/images/${encodeURIComponent(image)}/json`)).status === 200;
  }

  function settings(text: object, name = 'docker/config.json'): void {
    writeFileSync(join(place.folder, name), JSON.stringify(text));
  }

  test.skipIf(missing !== null)(`the image is fetched with the login that the file has${why}`, async () => {
    settings({ auths: { [registry.place]: { auth: basic } } });
    // The image is fetched; that nothing can be run in it is the next fault.
    expect(await apply()).toContain('could not be started');
    expect(await isThere()).toBe(true);
    expect([...registry.asked]).toContain(`Basic ${basic}`);
  });

  test.skipIf(missing !== null)(`a program that keeps the login is asked for it${why}`, async () => {
    const programs = join(place.folder, 'programs');
    mkdirSync(programs);
    const program = join(programs, 'docker-credential-lab');
    const answer = JSON.stringify({ ServerURL: registry.place, Username: user, Secret: password });
    const script = `#!/bin/sh\n[ "$*" = get ] && [ "$(cat)" = ${registry.place} ] && printf '%s' '${answer}'\n`;
    writeFileSync(program, script);
    chmodSync(program, 0o755);
    place.env['PATH'] = `${programs}:${place.env['PATH']}`;
    settings({ credHelpers: { [registry.place]: 'lab' } });
    await apply();
    expect(await isThere()).toBe(true);
  });

  test.skipIf(missing !== null || engine !== 'podman')(
    `podman's own file of logins is read before Docker's${why}`,
    async () => {
      place.env['REGISTRY_AUTH_FILE'] = join(place.folder, 'auth.json');
      settings({ auths: { [`${registry.place}/team`]: { auth: basic } } }, 'auth.json');
      settings({ auths: { [registry.place]: { auth: Buffer.from('other:one').toString('base64') } } });
      await apply();
      expect(await isThere()).toBe(true);
    },
  );

  test.skipIf(missing !== null)(
    `without a login, and with a wrong one, it says what it was asked with and how to log in${why}`,
    async () => {
      const nobody = await apply();
      expect(nobody).toContain(`The registry ${registry.place} does not give the image ${image}`);
      expect(nobody).toContain('It was asked without a login.');
      expect(nobody).toContain(`docker login ${registry.place}`);
      settings({ auths: { [registry.place]: { auth: Buffer.from('other:one').toString('base64') } } });
      expect(await apply()).toContain('It was asked with the login in ');
      settings({ credsStore: 'nowhere' });
      expect(await apply()).toContain('without a login; docker-credential-nowhere gives none: ');
      expect(await isThere()).toBe(false);
    },
  );
});
