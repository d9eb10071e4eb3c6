import { join } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import { installCure } from './install-cure.ts';

/** The version that this berth is tested with; the clone's development dependency is the same. */
export const libraryVersion = '3.22.1';

/** GPU and 32-bit builds, 600 MB of them: an empty package takes their place. */
const leftOut = ['linux-armv7l', 'linux-x64-cuda', 'linux-x64-cuda-ext', 'linux-x64-vulkan'];

export interface EmbeddedInstall {
  readonly engine: 'embedded';
  readonly folder: string;
  /** Version of node-llama-cpp in the folder; null: not installed there. */
  readonly version: string | null;
}

/** Where `berth engine add embedded` puts the library: a folder of its own with a package.json of its own. */
export function embeddedFolder(world: World): string {
  return join(world.places.engines, 'embedded');
}

export async function embeddedInstall(world: World): Promise<EmbeddedInstall> {
  const folder = embeddedFolder(world);
  const text = await world.files.read(join(folder, 'node_modules/node-llama-cpp/package.json'));
  const version = text === null ? null : (JSON.parse(text) as { version: string }).version;
  return { engine: 'embedded', folder, version };
}

/**
 * Installs the library with npm and proves that it loads on this machine. Only a root package can keep the GPU builds
 * out (npm's `overrides`), so the folder is a root. Install scripts stay off: they would compile llama.cpp for many minutes
 * when no build fits. Throws ENGINE_INSTALL_FAILED and leaves nothing behind when either step fails.
 */
export async function addEmbedded(
  world: World,
  options: { readonly onProgress: (line: string) => void; readonly signal: AbortSignal },
): Promise<EmbeddedInstall & { readonly release: string }> {
  const folder = embeddedFolder(world);
  await world.files.remove(folder);
  await writeRoot(world, folder);
  try {
    options.onProgress(`Installing node-llama-cpp ${libraryVersion} into ${folder} (about 100 MB) ...`);
    await npmInstall(world, folder, options);
    options.onProgress('Loading it once to see that it runs on this machine ...');
    const release = await tryLibrary(world, folder, options.signal);
    return { ...(await embeddedInstall(world)), release };
  } catch (error) {
    await world.files.remove(folder);
    throw error;
  }
}

export async function removeEmbedded(world: World): Promise<EmbeddedInstall> {
  const before = await embeddedInstall(world);
  await world.files.remove(before.folder);
  return before;
}

/** The package.json of the folder. The path to the empty package is absolute: npm's versions disagree on relative ones. */
export function rootPackage(folder: string, arch: string): object {
  const names = arch === 'x64' ? [...leftOut, 'linux-arm64'] : leftOut;
  const empty = `file:${join(folder, 'empty')}`;
  return {
    name: 'berth-engine-embedded',
    private: true,
    dependencies: { 'node-llama-cpp': libraryVersion },
    overrides: Object.fromEntries(names.map((name) => [`@node-llama-cpp/${name}`, empty])),
  };
}

async function writeRoot(world: World, folder: string): Promise<void> {
  const root = JSON.stringify(rootPackage(folder, process.arch), null, 2);
  await world.files.write(join(folder, 'package.json'), root, 0o644);
  const empty = JSON.stringify({ name: 'empty', version: '0.0.0', private: true });
  await world.files.write(join(folder, 'empty/package.json'), empty, 0o644);
}

async function npmInstall(
  world: World,
  folder: string,
  { onProgress, signal }: { onProgress: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const started = world.clock.now();
  const ticker = setInterval(() => {
    onProgress(`  still installing, ${Math.round((world.clock.now() - started) / 1000)} s`);
  }, 5000);
  const argv = [
    'npm',
    'install',
    '--ignore-scripts',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  try {
    const result = await world.exec.run(argv, { cwd: folder, timeoutMs: 900_000, signal });
    if (result.code === 0) return;
    throw installFailed(folder, result.stderr || `npm ended with ${result.code ?? result.signal}`);
  } finally {
    clearInterval(ticker);
  }
}

const probe = `
  const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: LlamaLogLevel.error });
  console.log(llama.llamaCppRelease.release);
  process.exit(0);
`;

/**
 * Gives the llama.cpp release that the library carries. In a process of its own, since a build that does not fit may
 * abort; from a file, since the library starts children with the same Node options, and `--eval` would be among them.
 */
async function tryLibrary(world: World, folder: string, signal: AbortSignal): Promise<string> {
  const file = join(folder, 'probe.mjs');
  await world.files.write(file, probe);
  const result = await world.exec.run([process.execPath, file], { cwd: folder, timeoutMs: 60_000, signal });
  if (result.code !== 0) {
    throw installFailed(folder, `it does not load: ${result.stderr || (result.signal ?? result.code)}`);
  }
  await world.files.remove(file);
  return result.stdout.trim();
}

function installFailed(folder: string, detail: string): BerthError<'ENGINE_INSTALL_FAILED'> {
  const cure = installCure(detail);
  return new BerthError('ENGINE_INSTALL_FAILED', {
    engine: 'embedded',
    folder,
    detail: detail.trim().slice(-2000),
    cure,
  });
}
