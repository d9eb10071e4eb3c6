import type { Finding } from '../../domain/finding.ts';
import { isRolling } from '../../domain/rolling-image.ts';
import type { Engine } from '../../engines/contract.ts';
import { engineOf } from '../../engines/registry.ts';
import type { Deployment } from '../file/resolve.ts';

/** An image that the next start may get another build of; `berth audit` has the same rule for what runs. */
export function rollingFindings(
  { name, engine, target }: Pick<Deployment, 'name' | 'engine' | 'target'>,
  image: string | null,
): Finding[] {
  if (image === null || !isRolling(image)) return [];
  const pin: Engine['imagePin'] = engineOf(engine.kind).imagePin;
  // Where it is stated already, no image of the engine's follows it.
  const isOpen = pin && (engine as Readonly<Record<string, unknown>>)[pin.option] === undefined;
  const own =
    target['image'] === undefined && isOpen ? `engine.${pin.option}, such as ${pin.example}, or ` : '';
  return [
    {
      rule: 'rolling-image',
      severity: 'info',
      object: name,
      message: `Its image ${image} is another one after the next release.`,
      evidence: [`image ${image}`],
      cure: `Set ${own}target.image with a version or a digest (NAME:VERSION, NAME@sha256:…).`,
    },
  ];
}
