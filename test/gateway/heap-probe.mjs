// Loaded into the gateway's process beside it: on SIGUSR2 says what is left after all garbage has been collected.
process.on('SIGUSR2', async () => {
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const resources = process.getActiveResourcesInfo();
  const sockets = resources.filter((name) => name === 'TCPSocketWrap').length;
  const { heapUsed: heap, arrayBuffers } = process.memoryUsage();
  process.stdout.write(`${JSON.stringify({ event: 'probed', heap, arrayBuffers, sockets })}\n`);
});
