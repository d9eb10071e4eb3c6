/** Messages are static sentences; what varies goes into fields. Never pass a secret. */
export interface Log {
  readonly debug: (message: string, fields?: Record<string, unknown>) => void;
  readonly info: (message: string, fields?: Record<string, unknown>) => void;
  readonly warn: (message: string, fields?: Record<string, unknown>) => void;
  readonly error: (message: string, fields?: Record<string, unknown>) => void;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

/** Writes to stderr, as text for people or as JSON lines for machines. */
export function createLog(options: { level: LogLevel; json: boolean; write?: (line: string) => void }): Log {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  function at(level: LogLevel): (message: string, fields?: Record<string, unknown>) => void {
    return (message, fields = {}) => {
      if (levels.indexOf(level) < levels.indexOf(options.level)) return;
      write(`${options.json ? toJson(level, message, fields) : toText(level, message, fields)}\n`);
    };
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function toJson(level: LogLevel, message: string, fields: Record<string, unknown>): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

function toText(level: LogLevel, message: string, fields: Record<string, unknown>): string {
  const tail = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${level === 'info' ? '' : `${level}: `}${message}${tail.join('')}`;
}
