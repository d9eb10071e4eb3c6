import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Duplex } from 'node:stream';

const keptBytes = 4_096;

/** A process as one stream of bytes: what is written it reads, what it writes is read. It ends with the stream. */
export function pipeOf(child: ChildProcessWithoutNullStreams): Duplex {
  const pipe = Duplex.from({ readable: child.stdout, writable: child.stdin });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-keptBytes)));
  child.once('error', (error) => pipe.destroy(error));
  child.once('close', (code) => {
    if (code !== 0) pipe.destroy(new Error(said.trim().split('\n').at(-1) || `it ended with ${code}`));
  });
  // Its input has ended then: a program that another user runs, as through sudo, takes no signal of ours.
  pipe.once('close', () => void child.kill());
  return pipe;
}
