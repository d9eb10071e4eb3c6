// A model server with a known schedule: `truth-server [--host ADDRESS] [--port PORT] [--keep-running]`.
// Prints one JSON line when it listens; ends when its stdin closes (unless told otherwise), on SIGTERM and on SIGINT.
import { parseArgs } from 'node:util';
import { startTruthServer } from '../bench/truth/truth-server.ts';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    'keep-running': { type: 'boolean', default: false },
  },
});
const server = await startTruthServer({ address: values.host, port: Number(values.port) });
process.stdout.write(`${JSON.stringify({ event: 'listening', url: server.url })}\n`);

function end(): void {
  void server.close(0).then(() => process.exit(0));
}
process.on('SIGTERM', end).on('SIGINT', end);
if (!values['keep-running']) process.stdin.on('end', end).on('close', end).resume();
