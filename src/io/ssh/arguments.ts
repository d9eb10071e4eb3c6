/** Command lines of ssh itself. */

/** How long a silent network is believed in: three questions, five seconds apart. */
const heartbeat = ['-oServerAliveInterval=5', '-oServerAliveCountMax=3'];

/**
 * The one connection. The user's own configuration holds, but nothing may ask, a key must be known, and what the user has for
 * sessions by hand (terminals, forwards, a command) is left out. It ends when its standard input does.
 */
export function masterArgv(where: string, socket: string, command: string): string[] {
  return [
    'ssh',
    '-T',
    '-a',
    '-x',
    '-oBatchMode=yes',
    '-oStrictHostKeyChecking=yes',
    '-oConnectTimeout=10',
    '-oControlMaster=yes',
    '-oControlPersist=no',
    '-oClearAllForwardings=yes',
    '-oRemoteCommand=none',
    '-oForkAfterAuthentication=no',
    '-oStdinNull=no',
    '-oPermitLocalCommand=no',
    '-oLogLevel=INFO',
    ...heartbeat,
    '-S',
    percent(socket),
    where,
    command,
  ];
}

/** A command over that connection; without it, it fails instead of making another one. */
export function sessionArgv(where: string, socket: string, command: string): string[] {
  return [...client(socket), '-T', where, command];
}

/** Has the connection listen here ("127.0.0.1:4000", or a path) and pass on to there. */
export function forwardArgv(where: string, socket: string, ends: { from: string; to: string }): string[] {
  return [...client(socket), '-O', 'forward', '-L', `${end(ends.from)}:${end(ends.to)}`, where];
}

/** In a path a colon would end it, and ssh reads "%h" and the like. */
function end(place: string): string {
  return place.startsWith('/') ? percent(place).replaceAll(':', '\\:') : place;
}

function client(socket: string): string[] {
  return [
    'ssh',
    '-F',
    '/dev/null',
    '-oControlMaster=no',
    '-oProxyCommand=false',
    '-oBatchMode=yes',
    '-oLogLevel=ERROR',
    '-S',
    percent(socket),
  ];
}

/** ssh reads "%h" and the like in names of sockets. */
function percent(path: string): string {
  return path.replaceAll('%', '%%');
}
