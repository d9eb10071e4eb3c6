import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadFleet } from '../../src/fleet/file/load.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { largeFleet } from './large-fleet.ts';

test('the large fleet that start-up is measured on is one that berth accepts, with as many deployments as asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth large '));
  try {
    writeFileSync(join(folder, 'berth.yaml'), largeFleet(100));
    writeFileSync(join(folder, 'model.gguf'), '');
    const { deployments } = await loadFleet(localWorld(), { files: ['berth.yaml'], cwd: folder });
    expect(Object.keys(deployments)).toHaveLength(100);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
