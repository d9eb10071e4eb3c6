// A model server as far as its command line and its answers go: BEHAVE = ok, loading, silent, keyed or deaf (no port).
const http = require('node:http');
const { spawn } = require('node:child_process');

const args = process.argv.slice(2);
if (args.includes('--help')) {
  // As that server prints it; a folder may have the page beside the program.
  console.log(require('node:fs').readFileSync(`${process.argv[1]}.help`, 'utf8'));
  process.exit(0);
}
const behave = process.env.BEHAVE ?? 'ok';
const model = process.env.SERVED ?? 'fake';
const child = process.env.CHILD ? JSON.parse(process.env.CHILD) : null;

const answers = {
  '/health': { status: 'ok' },
  '/v1/models': { object: 'list', data: [{ id: model, owned_by: process.env.OWNED_BY ?? 'test' }] },
};
if (process.env.ANSWERS) Object.assign(answers, JSON.parse(process.env.ANSWERS));

function reply(request, response) {
  if (behave === 'silent') return;
  if (behave === 'loading') return void response.writeHead(503).end('{"error":{"message":"Loading model"}}');
  if (behave === 'keyed' && request.url !== '/health') return void response.writeHead(401).end('{}');
  const answer = answers[request.url];
  response
    .writeHead(answer ? 200 : 404, { 'content-type': 'application/json' })
    .end(JSON.stringify(answer ?? {}));
}

if (child) {
  const runner = spawn(child[0], child.slice(1), { stdio: 'inherit', env: { ...process.env, CHILD: '' } });
  process.on('exit', () => runner.kill('SIGKILL'));
}
process.on('SIGTERM', () => process.exit(0));
if (behave === 'deaf') {
  setInterval(() => {}, 60_000);
  console.log(JSON.stringify({ pid: process.pid, port: 0 }));
} else {
  const server = http.createServer(reply);
  // Only asked-for ports appear in the command line; 0 takes any.
  const named = args[args.indexOf('--port') + 1];
  server.listen(
    Number(process.env.LISTEN ?? (args.includes('--port') ? named : 0)),
    process.env.BIND ?? '127.0.0.1',
    () => {
      console.log(JSON.stringify({ pid: process.pid, port: server.address().port }));
    },
  );
}
