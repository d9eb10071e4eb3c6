// Loaded into the embedded engine's process beside it: on SIGUSR2 says how many of the library's sequences are left after all
// garbage has been collected.
import { queryObjects } from 'node:v8';

process.on('SIGUSR2', async () => {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { LlamaContextSequence } = await import('node-llama-cpp');
  const sequences = queryObjects(LlamaContextSequence, { format: 'count' });
  process.stderr.write(`${JSON.stringify({ sequences })}\n`);
});
