import { baseName } from '../command-line/unwrap.ts';

/** What images of model servers run, by their names: the program that takes the arguments, and what is run where there are none. */
interface ImageProgram {
  readonly image: RegExp;
  readonly program: readonly string[];
  readonly alone?: readonly string[];
}

const programs: readonly ImageProgram[] = [
  { image: /(^|\/)llama\.cpp:full/i, program: ['tools.sh'] },
  {
    image: /(^|\/)llama\.cpp:server|llama-?cpp[-_/]?server|(^|\/)llama-server(:|$)/i,
    program: ['llama-server'],
  },
  { image: /llama[-_.]?cpp[-_]python([-:@]|$)/i, program: ['python3', '-m', 'llama_cpp.server'] },
  { image: /(^|\/)(pytorch-)?vllm(-[\w.-]+)?([:@]|$)/i, program: ['vllm', 'serve'] },
  { image: /(^|\/)ollama([:@]|$)/i, program: ['ollama'], alone: ['serve'] },
  { image: /(^|\/)sglang([:@]|$)/i, program: ['python3', '-m', 'sglang.launch_server'] },
  { image: /text-generation-inference/i, program: ['text-generation-launcher'] },
  { image: /text-embeddings-inference/i, program: ['text-embeddings-router'] },
  { image: /(^|\/)infinity([:@]|$)/i, program: ['infinity_emb'] },
  { image: /(^|\/)local-?ai([:@]|$)/i, program: ['local-ai'] },
  { image: /(^|\/)koboldcpp([:@]|$)/i, program: ['koboldcpp'] },
  { image: /(^|\/)llama-swap([:@]|$)/i, program: ['llama-swap'] },
  { image: /(^|\/)tabby-?api([:@]|$)/i, program: ['python3', 'main.py'] },
  { image: /(^|\/)aphrodite(-openai|-engine)?([:@]|$)/i, program: ['aphrodite', 'run'] },
  { image: /(^|\/)mistral\.rs([:@]|$)/i, program: ['mistralrs-server'] },
  { image: /(^|\/)openvino\/model_server|(^|\/)ovms([:@]|$)/i, program: ['ovms'] },
  { image: /(^|\/)huggingfaceserver([-:@]|$)/i, program: ['python3', '-m', 'huggingfaceserver'] },
  { image: /^nvcr\.io\/nim\//i, program: ['/opt/nim/start-server.sh'] },
  { image: /(^|\/)lemonade-server([:@]|$)/i, program: ['lemonade-server'], alone: ['serve'] },
];

/** What has the name of a server in its own and is none: it watches it, passes on to it, measures it, or only holds what it needs. */
const besides =
  /[-_.](runtime|router|exporter|metrics|proxy|gateway|bench\w*|dashboard|ui|webui|client|tests?|build\w*|base|dev)([-_.][\w.-]*)?([:@]|$)/i;

/** What people have a container do in place of its server. */
const others =
  /^(sh|bash|ash|dash|zsh|sleep|tail|cat|ls|env|true|false|echo|id|pause|nvidia-smi|rocm-smi|python[\d.]*|pip3?|uv|node|ray|huggingface-cli|hf|curl|wget|tini|dumb-init)$/;

/** The command line that a container runs: its own command, or its image's program, and its arguments. */
export function containerCommand(
  image: string | null,
  command: readonly string[],
  args: readonly string[],
): string[] {
  if (command.length > 0) return [...command, ...args];
  const [first] = args;
  if (first !== undefined && others.test(baseName(first))) return [...args];
  const known = besides.test(image ?? '') ? undefined : programs.find((one) => one.image.test(image ?? ''));
  const program = known?.program ?? [];
  if (first === undefined) return [...program, ...(known?.alone ?? [])];
  const at = program.findIndex((word) => word === first || baseName(word) === baseName(first));
  // "vllm/vllm-openai serve MODEL" and "ollama serve" say part of it again.
  return [...program.slice(0, at < 0 ? undefined : at), ...args];
}

/** Whether this is what an image starts to prepare its program, and not another program in its place. */
export function isEntrypoint(path: string): boolean {
  return /entry-?point|(^|\/)(start|run|init|docker-helper)[^/]*\.sh$/i.test(path);
}
