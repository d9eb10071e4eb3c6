import { BerthError } from '../domain/errors/berth-error.ts';
import { exitCodes } from '../domain/exit-codes.ts';
import { parseOptions } from '../embedded/options.ts';
import { startEmbedded } from '../embedded/server.ts';
import { localWorld } from '../io/local-world.ts';

/** How long running answers may take to end after SIGTERM. */
const drainMs = 25_000;

/** Runs until SIGTERM or SIGINT. Events on stdout, one JSON object a line; what went wrong is the last line on stderr. */
async function main(): Promise<void> {
  const world = localWorld();
  const options = parseOptions(process.argv.slice(2));
  const server = await startEmbedded(world, options);
  tell({ event: 'listening', listen: [{ address: server.address, port: server.port }], pid: process.pid });
  let ending = false;
  function onSignal(): void {
    if (ending) process.exit(exitCodes.interrupted);
    ending = true;
    void server.close(drainMs).then(() => process.exit(exitCodes.done));
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  const { engine } = await server.ready;
  tell({
    event: 'ready',
    model: options.model,
    decoder: engine.decoder.kind,
    threads: engine.facts.threads,
    slots: options.slots,
    context: options.context,
  });
}

function tell(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function fail(error: unknown): never {
  const text =
    error instanceof BerthError
      ? `${error.message} ${error.cure}`
      : `The embedded engine failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  process.stderr.write(`${text}\n`);
  process.exit(error instanceof BerthError ? error.exitCode : exitCodes.fault);
}

await main().catch(fail);
