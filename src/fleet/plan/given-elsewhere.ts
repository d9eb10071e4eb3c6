import { givenIn } from '../../domain/given-files.ts';
import { givenText, keepGiven, keptText } from '../../io/given-file.ts';
import type { World } from '../../io/world.ts';
import type { MarkedPlace, StartRequest } from '../../targets/contract.ts';
import { targetsOn } from '../../targets/registry.ts';

/** A file that engines of a place were given, by its digest, as whoever applied them left it with the object of any target; null: none has it. */
export async function givenElsewhere(
  host: World,
  place: MarkedPlace,
  digest: string,
): Promise<string | null> {
  for (const { record } of targetsOn(host)) {
    const text = (await record.file?.(host, place, digest)) ?? null;
    if (text !== null) return text;
  }
  return null;
}

/** Takes over what an engine is to be given and only others have kept, so that its target finds it. */
export async function bringGiven(host: World, request: StartRequest): Promise<void> {
  if (host.cluster) return;
  for (const [name, file] of Object.entries(givenIn(request.mark.spec))) {
    const here = givenText(host, file, () => keptText(host, request, file));
    const isHere = await here.then(
      () => true,
      () => false,
    );
    const specs = [{ secrets: { [name]: file } }];
    if (!isHere)
      await keepGiven(host, request, {
        specs,
        elsewhere: (digest) => givenElsewhere(host, request.mark, digest),
      });
  }
}
