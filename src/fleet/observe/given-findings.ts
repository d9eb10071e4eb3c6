import { BerthError } from '../../domain/errors/berth-error.ts';
import { givenIn } from '../../domain/given-files.ts';
import type { Finding } from '../../domain/finding.ts';
import { givenText, keptText } from '../../io/given-file.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../../targets/contract.ts';
import { givenElsewhere } from '../plan/given-elsewhere.ts';

/** Files of which nobody has any more what an engine of this host is to be given: once the old one has ended it is too late. Reads only. */
export async function givenFindings(host: World, request: StartRequest): Promise<Finding[]> {
  const { deployment, spec } = request.mark;
  const asked = Object.values(givenIn(spec)).map((file) =>
    orFinding(deployment, async () => {
      await givenText(
        host,
        file,
        () => keptText(host, request, file),
        () => givenElsewhere(host, request.mark, file.sha256),
      );
      return [];
    }),
  );
  return (await Promise.all(asked)).flat();
}

/** The findings, or the one that a file is another by now, where that is why there are none. */
export async function orFinding(object: string, ask: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof BerthError) || error.code !== 'GIVEN_FILE_CHANGED') throw error;
    const { code, message, cure } = error;
    return [{ rule: 'file-changed', severity: 'critical', object, message, evidence: [code], cure }];
  }
}
