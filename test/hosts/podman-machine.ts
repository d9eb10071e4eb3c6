import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layUsualLlama, missingFor, usualLlamaImage } from './container-box.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

/** Why there can be no machine with systemd and podman here; null when there can. */
export function missingForPodmanMachine(): string | null {
  const lacks = missingForSystemd();
  return lacks === '' ? missingFor('podman') : lacks;
}

/** A machine with systemd and a podman that has a store and networks of its own; none of its services has been started. */
export function startPodmanMachine(shared: readonly string[] = []): SystemdBox {
  const box = startSystemdBox(shared);
  const etc = join(box.folder, 'containers');
  mkdirSync(etc);
  writeFileSync(join(etc, 'policy.json'), '{"default": [{"type": "insecureAcceptAnything"}]}\n');
  writeFileSync(
    join(etc, 'containers.conf'),
    `[engine]
runtime = "runc"
[containers]
default_ulimits = ["nofile=4096:4096","nproc=4096:4096"]
`,
  );
  // Its root is in memory, which images would fill.
  writeFileSync(
    join(etc, 'storage.conf'),
    `[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "${box.folder}/graph"\n`,
  );
  const laid = box.enter('sh', '-c', `cp -r '${etc}' /etc/`);
  if (laid.code !== 0) throw new Error(laid.stderr);
  return box;
}

/** Gives its podman llama.cpp's own image, from files of this machine. */
export function buildUsualLlama(box: SystemdBox): void {
  const folder = mkdtempSync(join(box.folder, 'image-'));
  try {
    const { files, env } = layUsualLlama(folder);
    const changes = env.map((one) => `--change 'ENV ${one}'`).join(' ');
    const tar = `tar -C '${folder}' -c ${files.join(' ')}`;
    const made = box.enter('sh', '-c', `${tar} | podman import ${changes} - ${usualLlamaImage}`);
    if (made.code !== 0) throw new Error(made.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
