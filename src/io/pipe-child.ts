import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Duplex } from 'node:stream';

const keptBytes = 4_096;

/**
 * A process as one stream of bytes: what is written it reads, what it writes is read. It ends with the stream. Its input closes with its
 * end, which may be seen before the last of its output has been read: that is no fault, and takes nothing of what it wrote.
 */
export function pipeOf(child: ChildProcessWithoutNullStreams): Duplex {
  const { stdin, stdout, stderr } = child;
  const pipe = new Duplex({
    read: () => void stdout.resume(),
    write: (bytes: Uint8Array, _, done) => void stdin.write(bytes, (error) => done(error)),
    final: (done) => (stdin.destroyed ? done() : void stdin.end(() => done())),
    destroy: (error, done) => {
      stdin.destroy();
      stdout.destroy();
      // Its input has ended then: a program that another user runs, as through sudo, takes no signal of ours.
      child.kill();
      done(error);
    },
  });
  // Who writes is told by the write itself.
  stdin.on('error', () => {});
  stdout.on('data', (bytes: Buffer) => {
    if (!pipe.push(bytes)) stdout.pause();
  });
  // Of one that failed there is no end, only the fault: that comes once all that it said is there.
  function end(): void {
    if (child.exitCode === 0) pipe.push(null);
    else if (child.exitCode === null) child.once('exit', (code) => void (code === 0 && pipe.push(null)));
  }
  stdout.once('end', end);
  stdout.once('error', (error) => pipe.destroy(error));
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-keptBytes)));
  child.once('error', (error) => pipe.destroy(error));
  child.once('close', (code) => {
    if (code !== 0) pipe.destroy(new Error(said.trim().split('\n').at(-1) || `it ended with ${code}`));
  });
  return pipe;
}
