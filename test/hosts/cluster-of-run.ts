import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { clusterScript } from './cluster-script.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Folder of the one cluster that tests of a run share. */
    readonly cluster: string;
  }
}

/** Says where the cluster of this run lies, which the first test that needs it starts, and ends it with the run. */
export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'berth-kube-'));
  project.provide('cluster', folder);
  return () => {
    if (existsSync(join(folder, 'box.pid'))) clusterScript('stop', folder);
    rmSync(folder, { recursive: true, force: true });
  };
}
