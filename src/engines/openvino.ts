import { hasFlag } from '../domain/command-line/flags.ts';
import { recognizeForeign } from '../domain/command-line/foreign-server.ts';
import type { Unwrapped } from '../domain/command-line/unwrap.ts';
import type { Engine } from './contract.ts';

/** OpenVINO Model Server. Its `--port` is that of gRPC; what it answers depends on its models. */
export const openvino = {
  kind: 'openvino',
  title: 'OpenVINO Model Server',
  paths: [],
  options: null,
  recognize: (facts) =>
    recognizeForeign(facts, {
      engine: 'openvino',
      argsOf,
      model: ['--source_model', '--model_path', '--model_name'],
      host: ['--rest_bind_address'],
      port: ['--rest_port'],
      key: ['--api_key_file'],
      options: {},
    }),
} as const satisfies Engine<'openvino'>;

/** It also fetches and lists models, and edits its own file. */
function argsOf({ program, args }: Unwrapped): readonly string[] | null {
  const ends = ['--pull', '--list_models', '--add_to_config', '--remove_from_config', '--kfs_help'];
  return program === 'ovms' && args.length > 0 && !hasFlag(args, ...ends) ? args : null;
}
