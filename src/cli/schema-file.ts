import { fileURLToPath } from 'node:url';

/** For editors, in the first line of a fleet file. Lies beside the sources and beside the build alike. */
export const schemaFile = fileURLToPath(new URL('../../schema/berth.schema.json', import.meta.url));
