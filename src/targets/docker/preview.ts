import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../contract.ts';
import { daemonOf } from './daemon.ts';
import { expectPlaceNotKept } from './kept-by-unit.ts';
import type { DockerOptions } from '../../container/options.ts';
import { hasImage, programOf } from './pull.ts';
import { imageOf } from '../../container/render.ts';

/** What is wrong before anything is tried: no daemon, no right to it, an image that nobody may fetch, a unit that keeps what runs. Reads only. */
export async function preview(
  world: World,
  { mark }: StartRequest,
  options: DockerOptions,
): Promise<Finding[]> {
  const image = imageOf(mark.spec, options) ?? '';
  try {
    const daemon = await daemonOf(world);
    const { api } = daemon;
    const { deployment } = mark;
    const program = programOf(daemon);
    await expectPlaceNotKept(world, mark);
    if (await hasImage(world, api, image)) return [];
    if (options.pull !== 'never') return [willFetch(deployment, image, program)];
    throw new BerthError('IMAGE_MISSING', { deployment, image, reason: 'pull is "never"', program });
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    return [
      {
        rule: 'container-engine',
        severity: 'critical',
        object: mark.deployment,
        message: error.message,
        evidence: [error.code],
        cure: error.cure,
      },
    ];
  }
}

function willFetch(object: string, image: string, program: string): Finding {
  return {
    rule: 'image-fetched',
    severity: 'info',
    object,
    message: `The image ${image} is not there yet and will be fetched.`,
    evidence: [image],
    cure: `Nothing has to be done; "${program} pull ${image}" fetches it beforehand.`,
  };
}
