import { createRequire } from 'node:module';

/**
 * llhttp, the parser of Node's own HTTP server, as the WebAssembly that undici carries. All parsers of a process share
 * one instance and one window of its memory: a call is synchronous and never nested, so they take turns.
 */

/** Who hears of what is parsed. `at` is an offset in the bytes given to `execute`. A result that is not 0 ends the parsing. */
export interface LlhttpEvents {
  readonly onBegin: () => number;
  readonly onUrl: (at: number, length: number) => number;
  readonly onField: (at: number, length: number) => number;
  readonly onValue: (at: number, length: number) => number;
  readonly onHead: (upgrade: boolean, keepAlive: boolean) => number;
  readonly onBody: (at: number, length: number) => number;
}

/** Where a call of `execute` ended. `paused`: after a whole message. */
export type Outcome = 'all' | 'paused' | 'upgrade' | 'error';

/** The little of WebAssembly that is used here; the types of Node leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly _initialize: () => void;
  readonly malloc: (size: number) => number;
  readonly llhttp_alloc: (type: number) => number;
  readonly llhttp_free: (parser: number) => void;
  readonly llhttp_execute: (parser: number, data: number, length: number) => number;
  readonly llhttp_resume: (parser: number) => void;
  readonly llhttp_resume_after_upgrade: (parser: number) => void;
  readonly llhttp_get_error_pos: (parser: number) => number;
  readonly llhttp_get_http_major: (parser: number) => number;
  readonly llhttp_get_http_minor: (parser: number) => number;
  readonly llhttp_get_method: (parser: number) => number;
  readonly llhttp_method_name: (method: number) => number;
}

const typeRequest = 1;
const ok = 0;
const paused = 21;
const pausedUpgrade = 22;
/** A callback's own refusal. */
export const stopParsing = 24;

/** Bytes that one call takes at most. */
export const windowBytes = 64 * 1024;

let current: LlhttpEvents;
let window = 0;
const llhttp = instantiate();
let view = new Uint8Array(llhttp.memory.buffer, window, windowBytes);
const methods = Array.from({ length: 47 }, (_, i) => text(llhttp.llhttp_method_name(i)));

function instantiate(): Exports {
  const wasm = createRequire(import.meta.url)('undici/lib/llhttp/llhttp-wasm.js') as Uint8Array;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), {
    env: {
      wasm_on_message_begin: () => current.onBegin(),
      wasm_on_url: (_: number, at: number, length: number) => current.onUrl(at - window, length),
      wasm_on_status: () => 0,
      wasm_on_header_field: (_: number, at: number, length: number) => current.onField(at - window, length),
      wasm_on_header_value: (_: number, at: number, length: number) => current.onValue(at - window, length),
      wasm_on_headers_complete: (_: number, _status: number, upgrade: number, keepAlive: number) =>
        current.onHead(upgrade === 1, keepAlive === 1),
      wasm_on_body: (_: number, at: number, length: number) => current.onBody(at - window, length),
      // Nothing of the next message is looked at before this one is answered.
      wasm_on_message_complete: () => paused,
    },
  });
  const made = exports as Exports;
  made._initialize();
  window = made.malloc(windowBytes);
  return made;
}

/** One connection's parser. `free` it: its memory is not the collector's. */
export class Llhttp {
  /** How much of the bytes the last `execute` took. */
  taken = 0;
  readonly #parser = llhttp.llhttp_alloc(typeRequest);
  readonly #events: LlhttpEvents;

  constructor(events: LlhttpEvents) {
    this.#events = events;
  }

  /** Parses `length` bytes (at most `windowBytes`) of `bytes` from `from` on. */
  execute(bytes: Uint8Array, from: number, length: number): Outcome {
    // Memory that has grown has another buffer.
    if (view.buffer !== llhttp.memory.buffer)
      view = new Uint8Array(llhttp.memory.buffer, window, windowBytes);
    view.set(from === 0 && length === bytes.length ? bytes : bytes.subarray(from, from + length));
    current = this.#events;
    const error = llhttp.llhttp_execute(this.#parser, window, length);
    this.taken = length;
    if (error === ok) return 'all';
    this.taken = llhttp.llhttp_get_error_pos(this.#parser) - window;
    if (error === paused) llhttp.llhttp_resume(this.#parser);
    else if (error === pausedUpgrade) llhttp.llhttp_resume_after_upgrade(this.#parser);
    return error === paused ? 'paused' : error === pausedUpgrade ? 'upgrade' : 'error';
  }

  get method(): string {
    return methods[llhttp.llhttp_get_method(this.#parser)] ?? '';
  }

  /** Ten for HTTP/1.0, eleven for HTTP/1.1. */
  get version(): number {
    return llhttp.llhttp_get_http_major(this.#parser) * 10 + llhttp.llhttp_get_http_minor(this.#parser);
  }

  free(): void {
    llhttp.llhttp_free(this.#parser);
  }
}

function text(at: number): string {
  const bytes = new Uint8Array(llhttp.memory.buffer, at, 32);
  return Buffer.from(bytes.subarray(0, bytes.indexOf(0))).toString('latin1');
}
