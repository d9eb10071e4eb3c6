import { startSmallHub } from './hub-server.ts';

/** The hub of the docs as a program, for a machine with a network of its own: prints its address and stays. */
const { url } = await startSmallHub();
process.stdout.write(`${url}\n`);
